#pragma once

// Reads the members of a zip file (PKWARE APPNOTE 6.3.10:
// https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT) of the kinds that numpy writes:
// stored or deflated, zip64 or not, one disk, not encrypted.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/byte_source.h"

namespace quantsearch {

struct ZipMember {
  std::string name;
  std::shared_ptr<const ByteSource> bytes;
};

/// Members in the order of the central directory. The checksum of a stored member is verified here,
/// that of a deflated one when its end is read. Throws InvalidInput when the file is truncated or
/// damaged, Unsupported for other compressions and encryption. `file` is for messages,
/// `cache_folder` for decoded members (inflate.h).
[[nodiscard]] std::vector<ZipMember> read_zip(const MappedFile& map,
                                              const std::filesystem::path& file,
                                              const std::filesystem::path& cache_folder);

}  // namespace quantsearch
