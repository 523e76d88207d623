#pragma once

// Sources of samples. A source is a numbered set of samples that are read on demand, so the whole
// set is never loaded at once.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "quantsearch/base/hash.h"
#include "quantsearch/media.h"
#include "quantsearch/model.h"
#include "quantsearch/tensor.h"

namespace quantsearch {

/// Tensors by input name.
using Batch = std::map<std::string, Tensor>;

/// Reading is const, deterministic and safe from several threads.
class DataSource {
 public:
  virtual ~DataSource() = default;
  /// Number of samples, >= 1.
  [[nodiscard]] virtual std::int64_t size() const = 0;
  /// The most samples of one read: all rows of an array; 1 when a sample is a whole set of inputs.
  [[nodiscard]] virtual std::int64_t largest_batch() const = 0;
  /// Samples [first, first + count) stacked along the first axis, count <= largest_batch(). Throws
  /// InvalidInput for other samples.
  [[nodiscard]] virtual Batch read(std::int64_t first, std::int64_t count) const = 0;
  /// The name of a sample's file, relative to the folder of the data; empty when samples are not
  /// files of their own.
  [[nodiscard]] virtual std::string sample_name(std::int64_t sample) const;
  /// Where the image of a sample's file is in the sample; absent when samples are no images, or
  /// images that were not scaled here.
  [[nodiscard]] virtual std::optional<ImagePlacing> placing(std::int64_t sample) const;
  /// Hash of the names of the inputs, types, shapes and values of all samples.
  [[nodiscard]] virtual Key content_key() const = 0;
};

/// Class indices, one per sample.
using Labels = std::vector<std::int64_t>;

struct DataOptions {
  std::optional<std::int64_t> limit;  // the first N samples
  // Where decoded samples of a large deflated .npz or of images go; "": the system's folder for
  // temporary files.
  std::filesystem::path cache_folder = {};
  // How the files of a folder become samples. Absent: pixels as they are, for a uint8 input.
  std::optional<Preprocess> preprocess = {};
  int threads = 0;  // that decode images and sounds; 0: all cores
};

struct LoadedData {
  std::shared_ptr<const DataSource> source;
  // The number of samples before the limit. A file of labels may hold as many.
  std::int64_t available = 0;
  // An array named `labels` in the same .npz, or the classes of sub-folders of images or sounds.
  std::optional<Labels> labels;
  // What a user should know, such as files that were left out; one sentence each.
  std::vector<std::string> remarks = {};
};

/// Opens .npz, .npy, a folder of `test_data_set_*`, or one of JPEG, PNG and WebP images or WAV
/// sounds, and checks names, types, shapes and finiteness against the inputs of `model`
/// (initializers that are also inputs are optional). Throws InvalidInput showing what the data have
/// and what the model takes.
[[nodiscard]] LoadedData open_data(const std::filesystem::path& path, const Model& model,
                                   const DataOptions& options = {});
/// One array per input, whose first axis counts the samples. Throws InvalidInput when there is no
/// array, no sample, or not the same number of samples in each array.
[[nodiscard]] std::shared_ptr<const DataSource> in_memory_data(
    std::map<std::string, Tensor> arrays);
/// `read_sample(i)` for i in [0, count) returns one sample with a first axis of 1; it must be
/// deterministic and thread-safe. Throws InvalidInput for a count below 1 or an empty function.
[[nodiscard]] std::shared_ptr<const DataSource> callback_data(
    std::int64_t count, std::function<Batch(std::int64_t)> read_sample);
/// Samples [first, first + count) of `source`. Throws InvalidInput when there are no such samples.
[[nodiscard]] std::shared_ptr<const DataSource> subset(std::shared_ptr<const DataSource> source,
                                                       std::int64_t first, std::int64_t count);
/// Another source with a name for each sample, as sample_name() gives it, and its placing, if there
/// are any. Throws InvalidInput when there are not as many.
[[nodiscard]] std::shared_ptr<const DataSource> with_names(std::shared_ptr<const DataSource> source,
                                                           std::vector<std::string> names,
                                                           std::vector<ImagePlacing> placings = {});
/// The check of open_data() for sources that are made in code. Throws InvalidInput.
void check_data(const DataSource& source, const Model& model);

/// Reads the array of an .npy, or the array `name` (or the only one) of an .npz. Throws
/// InvalidInput naming the arrays of a file with several others.
[[nodiscard]] Tensor load_array(const std::filesystem::path& file, const std::string& name);
/// Reads the array of an .npy, or the array `labels` (or the only one) of an .npz. Throws
/// InvalidInput unless it holds `expected` integers >= 0.
[[nodiscard]] Labels load_labels(const std::filesystem::path& file, std::int64_t expected);
/// Reads the labels of the samples in `data`. Samples with names take them from a .csv or .txt file
/// with a line of name and class index for each. Otherwise the file holds one for each of them, or
/// one for each sample before the limit, of which the first are taken. Throws InvalidInput naming
/// both numbers when the file holds another number of labels.
[[nodiscard]] Labels load_labels(const std::filesystem::path& file, const LoadedData& data);

}  // namespace quantsearch
