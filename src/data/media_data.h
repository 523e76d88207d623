#pragma once

// Samples from a folder of images or sounds.

#include <filesystem>

#include "data/media_listing.h"
#include "quantsearch/data.h"

namespace quantsearch {

struct MediaRequest {
  const std::filesystem::path& folder;
  const MediaListing& listing;
  const Model& model;
  const DataOptions& options;
};

/// Decodes the files on all threads, once; samples are made when they are read. Decoded pixels and
/// sounds beyond 64 MiB go to the cache folder. Files that cannot be decoded are left out, which
/// `remarks` says; more than one in ten of them is an error, InvalidInput. The source still has to
/// be checked against the model.
[[nodiscard]] LoadedData media_data(const MediaRequest& request);

}  // namespace quantsearch
