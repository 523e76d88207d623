#include "data/media_data.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>

#include "data/input_fit.h"
#include "data/samples.h"
#include "quantsearch/base/byte_budget.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/thread_pool.h"
#include "quantsearch/internal/base/files.h"
#include "quantsearch/internal/base/names.h"
#include "quantsearch/internal/data/batch_store.h"

namespace quantsearch {

namespace {

constexpr std::int64_t kKeptBytes = 64 << 20;

const char* plural_of(MediaKind kind) { return kind == MediaKind::image ? "images" : "sounds"; }

Preprocess preprocess_for(const MediaRequest& request, const MediaInput& input) {
  const auto& [folder, listing, model, options] = request;
  const MediaKind kind = listing.kind;
  if (options.preprocess) {
    const bool is_for_sounds = std::holds_alternative<SoundPreprocess>(*options.preprocess);
    if (is_for_sounds == (kind == MediaKind::sound)) return *options.preprocess;
    throw InvalidInput(fmt::format("data: folder '{}' holds {} and the given preprocess is for {}",
                                   folder.string(), plural_of(kind),
                                   is_for_sounds ? "sounds" : "images"));
  }
  // Pixels as they are need no scale that could be wrong.
  if (kind == MediaKind::image && input.type == DataType::uint8) return ImagePreprocess{};
  std::vector<std::string> presets;
  for (const PreprocessPreset& preset : preprocess_presets()) {
    const bool is_for_sounds =
        std::holds_alternative<SoundPreprocess>(parse_preprocess(preset.name));
    if (is_for_sounds == (kind == MediaKind::sound)) presets.push_back(preset.name);
  }
  throw InvalidInput(fmt::format(
      "data: folder '{}' holds {}, which the model takes as they were scaled in its training; give "
      "that as preprocess: {} or a mapping (docs/data.md)",
      folder.string(), plural_of(kind), fmt::join(presets, ", ")));
}

/// The only input of the model.
MediaInput media_input(const MediaRequest& request) {
  const auto& [folder, listing, model, options] = request;
  const MediaKind kind = listing.kind;
  const ModelInputs inputs = model_inputs(model);
  if (inputs.required.size() != 1) {
    throw InvalidInput(fmt::format(
        "data: folder '{}' holds {}, which feed one input, and the model takes {}: {}; make the "
        "others constants with --fix, or give an .npz",
        folder.string(), plural_of(kind), inputs.required.size(), describe_inputs(inputs)));
  }
  const ValueInfo& input = inputs.required[0];
  if (!input.dimensions) {
    throw InvalidInput(fmt::format(
        "data: the model does not say how many dimensions its input '{}' has, which {} need; give "
        "an .npz",
        input.name, plural_of(kind)));
  }
  MediaInput result{.name = input.name, .type = input.type, .dimensions = {}};
  for (const Dimension& dimension : *input.dimensions) result.dimensions.push_back(dimension.size);
  return result;
}

/// What was decoded, by file; a file of sounds may hold several samples.
class DecodedFiles {
 public:
  DecodedFiles(std::int64_t files, const std::filesystem::path& cache_folder)
      : folder_(cache_folder),
        store_(files, ByteBudget(kKeptBytes), kKeptBytes, folder_),
        pieces_(static_cast<std::size_t>(files)),
        images_(static_cast<std::size_t>(files)) {}

  /// Safe from several threads.
  void put(std::int64_t file, const KeptFile& kept) {
    Batch named;
    for (std::size_t piece = 0; piece < kept.samples.size(); ++piece)
      named[name_of(piece)] = kept.samples[piece];
    store_.put(file, named);
    pieces_[static_cast<std::size_t>(file)] = kept.samples.size();
    images_[static_cast<std::size_t>(file)] = kept.image;
  }
  void finish() { store_.finish(); }
  [[nodiscard]] std::int64_t files() const { return std::ssize(pieces_); }
  [[nodiscard]] std::size_t pieces(std::int64_t file) const {
    return pieces_[static_cast<std::size_t>(file)];
  }
  [[nodiscard]] const std::optional<ImageSize>& image(std::int64_t file) const {
    return images_[static_cast<std::size_t>(file)];
  }
  [[nodiscard]] Tensor piece(std::int64_t file, std::size_t piece) const {
    return store_.outputs(file).at(name_of(piece));
  }

 private:
  [[nodiscard]] static std::string name_of(std::size_t piece) { return std::to_string(piece); }

  SpillFolder folder_;
  BatchStore store_;
  std::vector<std::size_t> pieces_;  // 0: the file could not be decoded
  std::vector<std::optional<ImageSize>> images_;
};

struct MediaSample {
  std::int64_t file = 0;
  std::string name = {};  // of the file
  std::size_t piece = 0;
};

class MediaData final : public DataSource {
 public:
  MediaData(std::unique_ptr<const DecodedFiles> files, std::vector<MediaSample> samples,
            std::unique_ptr<const SampleMaker> maker, const MediaInput& input)
      : files_(std::move(files)),
        samples_(std::move(samples)),
        maker_(std::move(maker)),
        input_(input.name) {
    const bool is_open = !input.dimensions.empty() && !input.dimensions[0];
    if (is_open && have_one_shape()) largest_batch_ = size();
  }

  [[nodiscard]] std::int64_t size() const override { return std::ssize(samples_); }
  [[nodiscard]] std::int64_t largest_batch() const override { return largest_batch_; }
  [[nodiscard]] Batch read(std::int64_t first, std::int64_t count) const override {
    check_request(*this, first, count);
    if (count == 1) return {{input_, maker_->make(kept(first))}};
    std::vector<Tensor> rows;
    for (std::int64_t sample = first; sample < first + count; ++sample)
      rows.push_back(maker_->make(kept(sample)));
    return {{input_, concatenate_rows(rows)}};
  }
  [[nodiscard]] std::string sample_name(std::int64_t sample) const override {
    return samples_[static_cast<std::size_t>(sample)].name;
  }
  [[nodiscard]] std::optional<ImagePlacing> placing(std::int64_t sample) const override {
    const auto& image = files_->image(samples_[static_cast<std::size_t>(sample)].file);
    return image ? std::optional(maker_->placing(*image)) : std::nullopt;
  }
  [[nodiscard]] Key content_key() const override { return key_.of(*this); }

 private:
  [[nodiscard]] Tensor kept(std::int64_t sample) const {
    const MediaSample& place = samples_[static_cast<std::size_t>(sample)];
    return files_->piece(place.file, place.piece);
  }
  [[nodiscard]] bool have_one_shape() const {
    const Shape first = maker_->shape(kept(0));
    if (first.empty() || first[0] != 1) return false;
    for (std::int64_t sample = 1; sample < size(); ++sample) {
      if (maker_->shape(kept(sample)) != first) return false;
    }
    return true;
  }

  std::unique_ptr<const DecodedFiles> files_;
  std::vector<MediaSample> samples_;
  std::unique_ptr<const SampleMaker> maker_;
  std::string input_;
  std::int64_t largest_batch_ = 1;
  KeyOnce key_;
};

struct DecodingFault {
  std::string file;
  std::string reason;
};

/// Decodes the first files, as many as there are places in `decoded`.
std::vector<DecodingFault> decode_files(const MediaRequest& request, const SampleMaker& maker,
                                        DecodedFiles& decoded) {
  const std::vector<MediaFile>& files = request.listing.files;
  std::vector<std::string> reasons(static_cast<std::size_t>(decoded.files()));
  ThreadPool pool(request.options.threads);
  pool.parallel_for(decoded.files(), [&](std::int64_t index, int /*worker*/) {
    const auto file = static_cast<std::size_t>(index);
    KeptFile kept;
    try {
      const std::string content = read_file(request.folder / files[file].name);
      kept = maker.keep(std::as_bytes(std::span(content)));
    } catch (const InvalidInput& error) {
      reasons[file] = error.what();
      return;
    }
    decoded.put(index, kept);
  });
  decoded.finish();
  std::vector<DecodingFault> faults;
  for (std::size_t file = 0; file < reasons.size(); ++file) {
    if (!reasons[file].empty())
      faults.push_back({.file = files[file].name, .reason = reasons[file]});
  }
  return faults;
}

void report_faults(const std::filesystem::path& folder, std::int64_t files,
                   const std::vector<DecodingFault>& faults, LoadedData& data) {
  if (faults.empty()) return;
  constexpr std::size_t kShown = 3;
  constexpr std::int64_t kMostShare = 10;
  std::vector<std::string> texts;
  texts.reserve(faults.size());
  for (const DecodingFault& fault : faults)
    texts.push_back(fmt::format("'{}' ({})", fault.file, fault.reason));
  const std::string shown = some_of(texts, kShown);
  if (std::ssize(faults) * kMostShare > files) {
    throw InvalidInput(fmt::format(
        "data: {} of {} files in '{}' cannot be decoded, expected at most one in {}: {}; repair or "
        "remove them",
        faults.size(), files, folder.string(), kMostShare, shown));
  }
  data.remarks.push_back(
      fmt::format("data: left out {} of {} files in '{}', which cannot be decoded: {}",
                  faults.size(), files, folder.string(), shown));
}

/// The number of classes that the first output of the model tells apart.
std::optional<std::int64_t> classes_of(const Model& model) {
  if (model.graph.outputs.empty()) return std::nullopt;
  const auto& dimensions = model.graph.outputs[0].dimensions;
  if (!dimensions || dimensions->size() != 2) return std::nullopt;
  return dimensions->back().size;
}

/// Sub-folders are classes only when there are as many as the model tells apart.
void add_labels(const MediaRequest& request, const std::vector<MediaSample>& samples,
                LoadedData& data) {
  const auto& [folder, listing, model, options] = request;
  if (listing.classes.empty()) return;
  const auto expected = classes_of(model);
  const std::int64_t given = std::ssize(listing.classes);
  if (expected != given) {
    const std::string found =
        fmt::format("'{}' has {} {} and the model's first output {}", folder.string(), given,
                    listing.has_class_file ? "lines in 'classes.txt'" : "sub-folders",
                    expected ? fmt::format("{} classes", *expected) : "no fixed number of classes");
    if (listing.has_class_file) throw InvalidInput(fmt::format("labels: {}", found));
    data.remarks.push_back(fmt::format(
        "labels: {}, so sub-folders are not taken as classes; name all classes in 'classes.txt' "
        "there if they are",
        found));
    return;
  }
  data.labels.emplace();
  for (const MediaSample& sample : samples) {
    const std::string& name = listing.files[static_cast<std::size_t>(sample.file)].sub_folder;
    data.labels->push_back(std::ranges::find(listing.classes, name) - listing.classes.begin());
  }
}

}  // namespace

LoadedData media_data(const MediaRequest& request) {
  const auto& [folder, listing, model, options] = request;
  const MediaInput input = media_input(request);
  auto maker = sample_maker(preprocess_for(request, input), input);
  const std::int64_t limit = options.limit.value_or(std::numeric_limits<std::int64_t>::max());
  const std::int64_t count = std::min(limit, std::ssize(listing.files));
  auto decoded = std::make_unique<DecodedFiles>(count, options.cache_folder);
  LoadedData data;
  report_faults(folder, count, decode_files(request, *maker, *decoded), data);
  if (listing.foreign_images > 0) {
    data.remarks.push_back(
        fmt::format("data: left out {} images in '{}' that are no JPEG, PNG or WebP files",
                    listing.foreign_images, folder.string()));
  }
  std::vector<MediaSample> samples;
  for (std::int64_t file = 0; file < count; ++file) {
    for (std::size_t piece = 0; piece < decoded->pieces(file) && std::ssize(samples) < limit;
         ++piece) {
      samples.push_back({.file = file,
                         .name = listing.files[static_cast<std::size_t>(file)].name,
                         .piece = piece});
    }
  }
  add_labels(request, samples, data);
  data.available = std::ssize(samples);
  data.source = std::make_shared<const MediaData>(std::move(decoded), std::move(samples),
                                                  std::move(maker), input);
  return data;
}

}  // namespace quantsearch
