#include "data/media_listing.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <system_error>

#include "data/text_lines.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

constexpr const char* kClassFile = "classes.txt";

bool is_hidden(const std::filesystem::path& path) {
  return path.filename().string().starts_with('.');
}

/// Files by sub-folder; "" are those that lie directly in the folder.
class MediaFinder {
 public:
  explicit MediaFinder(const std::filesystem::path& folder) : folder_(folder) {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      if (is_hidden(entry.path())) continue;
      if (entry.is_directory()) {
        add_below(entry.path());
      } else {
        add(entry.path(), "");
      }
    }
    for (auto& [sub_folder, names] : groups_) std::ranges::sort(names);
  }

  [[nodiscard]] const std::map<std::string, std::vector<std::string>>& groups() const {
    return groups_;
  }
  [[nodiscard]] const std::map<MediaKind, std::string>& kinds() const { return kinds_; }
  [[nodiscard]] std::int64_t foreign_images() const { return foreign_images_; }

 private:
  void add_below(const std::filesystem::path& sub_folder) {
    using Walk = std::filesystem::recursive_directory_iterator;
    for (auto entry = Walk(sub_folder); entry != Walk(); ++entry) {
      if (is_hidden(entry->path())) {
        entry.disable_recursion_pending();
      } else if (!entry->is_directory()) {
        add(entry->path(), sub_folder.filename().string());
      }
    }
  }

  void add(const std::filesystem::path& file, const std::string& sub_folder) {
    const std::string name = file.filename().string();
    if (is_foreign_image(name)) ++foreign_images_;
    const auto kind = media_kind(name);
    if (!kind) return;
    const std::string relative = file.lexically_relative(folder_).generic_string();
    kinds_.try_emplace(*kind, relative);
    groups_[sub_folder].push_back(relative);
  }

  std::filesystem::path folder_;
  std::map<std::string, std::vector<std::string>> groups_;
  std::map<MediaKind, std::string> kinds_;  // with the first file of each
  std::int64_t foreign_images_ = 0;
};

std::vector<MediaFile> in_turn(const std::map<std::string, std::vector<std::string>>& groups) {
  std::vector<MediaFile> files;
  for (std::size_t round = 0, taken = 1; taken != 0; ++round) {
    taken = 0;
    for (const auto& [sub_folder, names] : groups) {
      if (round >= names.size()) continue;
      files.push_back({.name = names[round], .sub_folder = sub_folder});
      ++taken;
    }
  }
  return files;
}

void set_classes(MediaListing& listing, const std::filesystem::path& folder,
                 const std::map<std::string, std::vector<std::string>>& groups) {
  std::vector<std::string> sub_folders;
  for (const auto& [sub_folder, names] : groups) {
    if (sub_folder.empty()) return;
    sub_folders.push_back(sub_folder);
  }
  const std::filesystem::path file = folder / kClassFile;
  if (!std::filesystem::exists(file)) {
    if (sub_folders.size() > 1) listing.classes = sub_folders;
    return;
  }
  listing.has_class_file = true;
  listing.classes = text_lines(file);
  for (const std::string& sub_folder : sub_folders) {
    if (std::ranges::find(listing.classes, sub_folder) != listing.classes.end()) continue;
    throw InvalidInput(fmt::format(
        "labels: '{}' does not name the sub-folder '{}', expected every class on a line of its own",
        file.string(), sub_folder));
  }
}

}  // namespace

std::optional<MediaListing> list_media(const std::filesystem::path& folder) {
  try {
    const MediaFinder found(folder);
    if (found.kinds().empty()) {
      if (found.foreign_images() == 0) return std::nullopt;
      throw InvalidInput(fmt::format(
          "data: folder '{}' holds {} images, none of which is a JPEG, PNG or WebP file; convert "
          "them",
          folder.string(), found.foreign_images()));
    }
    if (found.kinds().size() > 1) {
      throw InvalidInput(fmt::format(
          "data: folder '{}' holds images ('{}') and sounds ('{}'), expected files of one kind",
          folder.string(), found.kinds().at(MediaKind::image), found.kinds().at(MediaKind::sound)));
    }
    MediaListing listing{.kind = found.kinds().begin()->first,
                         .files = in_turn(found.groups()),
                         .classes = {},
                         .foreign_images = found.foreign_images()};
    set_classes(listing, folder, found.groups());
    return listing;
  } catch (const std::filesystem::filesystem_error& error) {
    throw IoError(fmt::format("data: folder '{}' cannot be read: {}", folder.string(),
                              error.code().message()));
  }
}

}  // namespace quantsearch
