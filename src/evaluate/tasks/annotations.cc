#include "evaluate/tasks/annotations.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "quantsearch/base/error.h"
#include "quantsearch/base/value.h"
#include "quantsearch/internal/base/files.h"

namespace quantsearch {

namespace {

/// Reads members of the entries of one list, with messages that name the place.
class Entries {
 public:
  Entries(const Value& document, std::string list, std::string file)
      : list_(std::move(list)), file_(std::move(file)) {
    const Value* const entries = document.find(list_);
    if (entries == nullptr || !entries->is_list()) {
      throw InvalidInput(fmt::format(
          "annotations: '{}' has no list '{}', expected the JSON of the COCO benchmark with "
          "'images', 'annotations' and 'categories'",
          file_, list_));
    }
    entries_ = &entries->as_list();
  }

  [[nodiscard]] std::size_t size() const { return entries_->size(); }
  [[nodiscard]] const Value* find(std::size_t entry, const char* key) const {
    return (*entries_)[entry].find(key);
  }
  [[nodiscard]] std::int64_t integer(std::size_t entry, const char* key) const {
    const Value* const value = find(entry, key);
    if (value != nullptr && value->is_number()) return value->as_int();
    throw InvalidInput(fmt::format("{} has no number '{}'", place(entry), key));
  }
  [[nodiscard]] double number(std::size_t entry, const char* key, double absent) const {
    const Value* const value = find(entry, key);
    return value != nullptr && value->is_number() ? value->as_double() : absent;
  }
  [[nodiscard]] std::string text(std::size_t entry, const char* key) const {
    const Value* const value = find(entry, key);
    return value != nullptr && value->is_string() ? value->as_string() : std::string();
  }
  [[nodiscard]] Box box(std::size_t entry) const {
    const Value* const value = find(entry, "bbox");
    const bool is_box = value != nullptr && value->is_list() && value->as_list().size() == 4 &&
                        std::ranges::all_of(value->as_list(), &Value::is_number);
    if (!is_box) {
      throw InvalidInput(
          fmt::format("{} has no 'bbox' of four numbers: x, y, width and height", place(entry)));
    }
    const Value::List& numbers = value->as_list();
    return {.x = numbers[0].as_double(),
            .y = numbers[1].as_double(),
            .width = numbers[2].as_double(),
            .height = numbers[3].as_double()};
  }
  [[nodiscard]] std::string place(std::size_t entry) const {
    return fmt::format("annotations: entry {} of '{}' in '{}'", entry, list_, file_);
  }

 private:
  std::string list_;
  std::string file_;
  const Value::List* entries_ = nullptr;
};

bool is_crowd(const Entries& entries, std::size_t entry) {
  const Value* const value = entries.find(entry, "iscrowd");
  if (value == nullptr) return false;
  return value->is_bool() ? value->as_bool() : entries.integer(entry, "iscrowd") != 0;
}

}  // namespace

Annotations read_annotations(const std::filesystem::path& file) {
  const std::string name = file.string();
  const Value document = parse_json(read_file(file), name);
  Annotations result;
  const Entries images(document, "images", name);
  std::map<std::int64_t, std::size_t> position_of;
  for (std::size_t i = 0; i < images.size(); ++i) {
    result.images.push_back({.id = images.integer(i, "id"),
                             .file_name = images.text(i, "file_name"),
                             .height = images.number(i, "height", 0),
                             .width = images.number(i, "width", 0),
                             .boxes = {}});
    if (!position_of.emplace(result.images.back().id, i).second)
      throw InvalidInput(fmt::format("{} has the id of an earlier one", images.place(i)));
  }
  const Entries categories(document, "categories", name);
  std::set<std::int64_t> ids;
  for (std::size_t i = 0; i < categories.size(); ++i) ids.insert(categories.integer(i, "id"));
  result.categories.assign(ids.begin(), ids.end());
  const Entries boxes(document, "annotations", name);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    const auto position = position_of.find(boxes.integer(i, "image_id"));
    if (position == position_of.end()) {
      throw InvalidInput(fmt::format("{} is of image {}, which 'images' does not have",
                                     boxes.place(i), boxes.integer(i, "image_id")));
    }
    const Box box = boxes.box(i);
    result.images[position->second].boxes.push_back({.box = box,
                                                     .area = boxes.number(i, "area", box.area()),
                                                     .category = boxes.integer(i, "category_id"),
                                                     .is_crowd = is_crowd(boxes, i)});
  }
  return result;
}

}  // namespace quantsearch
