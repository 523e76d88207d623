#include "data/stored_array.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <deque>
#include <mutex>
#include <string_view>
#include <utility>

#include "data/npy_header.h"
#include "data/zip.h"
#include "quantsearch/base/error.h"

namespace quantsearch {

namespace {

std::size_t element_bytes(const NpyHeader& header) {
  return static_cast<std::size_t>(bits_of(header.type)) / 8;
}

void swap_each(std::span<std::byte> bytes, std::size_t width) {
  for (; !bytes.empty(); bytes = bytes.subspan(width)) std::ranges::reverse(bytes.first(width));
}

Shape with_rows(Shape shape, std::int64_t rows) {
  shape[0] = rows;
  return shape;
}

/// A zeroed tensor, and its bytes for writing.
struct Filling {
  Tensor tensor;
  std::span<std::byte> bytes;
};
Filling start_filling(DataType type, Shape shape) {
  const auto buffer =
      std::make_shared<std::vector<std::byte>>(static_cast<std::size_t>(byte_count(type, shape)));
  return {.tensor = Tensor::wrapping(type, std::move(shape), buffer, *buffer), .bytes = *buffer};
}

/// An array whose elements are stored row after row.
class RowMajorArray final : public StoredArray {
 public:
  RowMajorArray(NpyHeader header, std::shared_ptr<const ByteSource> bytes)
      : header_(std::move(header)), bytes_(std::move(bytes)) {}

  [[nodiscard]] DataType type() const override { return header_.type; }
  [[nodiscard]] const Shape& shape() const override { return header_.shape; }

  [[nodiscard]] Tensor rows(std::int64_t first, std::int64_t count) const override {
    Shape shape = with_rows(header_.shape, count);
    const std::int64_t row_bytes = byte_count(header_.type, with_rows(header_.shape, 1));
    const std::int64_t offset = header_.data_offset + first * row_bytes;
    const auto part = bytes_->in_place(offset, count * row_bytes);
    // Members of an .npz start at any offset; elements can only be read in place when aligned.
    if (part && !header_.swap_bytes &&
        reinterpret_cast<std::uintptr_t>(part->bytes.data()) % element_bytes(header_) == 0) {
      return Tensor::wrapping(header_.type, std::move(shape), part->owner, part->bytes);
    }
    Filling filling = start_filling(header_.type, std::move(shape));
    bytes_->read(offset, filling.bytes);
    if (header_.swap_bytes) swap_each(filling.bytes, element_bytes(header_));
    return std::move(filling.tensor);
  }

 private:
  NpyHeader header_;
  std::shared_ptr<const ByteSource> bytes_;
};

/// An array in Fortran order. The elements of a row are a whole column apart, so rows are gathered
/// in blocks with one pass over the bytes for each block, and the last two blocks are kept.
class ColumnMajorArray final : public StoredArray {
 public:
  ColumnMajorArray(NpyHeader header, std::shared_ptr<const ByteSource> bytes)
      : header_(std::move(header)), bytes_(std::move(bytes)) {
    constexpr std::int64_t kBlockBytes = 32 << 20;
    const std::int64_t row_bytes = byte_count(header_.type, with_rows(header_.shape, 1));
    block_rows_ = std::clamp<std::int64_t>(kBlockBytes / std::max<std::int64_t>(row_bytes, 1), 1,
                                           std::max<std::int64_t>(header_.shape[0], 1));
  }

  [[nodiscard]] DataType type() const override { return header_.type; }
  [[nodiscard]] const Shape& shape() const override { return header_.shape; }

  [[nodiscard]] Tensor rows(std::int64_t first, std::int64_t count) const override {
    std::vector<Tensor> parts;
    for (std::int64_t row = first; row < first + count;) {
      const std::int64_t start = row / block_rows_ * block_rows_;
      const Tensor block = block_from(start);
      const std::int64_t end = std::min(first + count, start + block.shape()[0]);
      parts.push_back(block.rows(row - start, end - row));
      row = end;
    }
    return concatenate_rows(parts);
  }

 private:
  struct Block {
    std::int64_t start = 0;
    Tensor rows;
  };

  [[nodiscard]] Tensor block_from(std::int64_t start) const {
    const std::lock_guard lock(mutex_);
    const auto kept = std::ranges::find(blocks_, start, &Block::start);
    if (kept != blocks_.end()) return kept->rows;
    blocks_.push_back(
        {.start = start, .rows = gather(start, std::min(block_rows_, header_.shape[0] - start))});
    if (blocks_.size() > 2) blocks_.pop_front();
    return blocks_.back().rows;
  }

  [[nodiscard]] Tensor gather(std::int64_t start, std::int64_t rows) const {
    const std::size_t width = element_bytes(header_);
    const Shape row_shape(header_.shape.begin() + 1, header_.shape.end());
    const std::int64_t columns = element_count(row_shape);
    const std::vector<std::int64_t> places = places_in_c_order(row_shape);
    Filling filling = start_filling(header_.type, with_rows(header_.shape, rows));
    std::vector<std::byte> column(static_cast<std::size_t>(rows) * width);
    for (std::int64_t index = 0; index < columns; ++index) {
      bytes_->read(header_.data_offset +
                       (index * header_.shape[0] + start) * static_cast<std::int64_t>(width),
                   column);
      const std::int64_t place = places[static_cast<std::size_t>(index)];
      for (std::int64_t row = 0; row < rows; ++row) {
        std::ranges::copy(
            std::span(column).subspan(static_cast<std::size_t>(row) * width, width),
            filling.bytes.begin() + (row * columns + place) * static_cast<std::int64_t>(width));
      }
    }
    if (header_.swap_bytes) swap_each(filling.bytes, width);
    return std::move(filling.tensor);
  }

  /// For each element of a row, in the order with the first axis fastest, its index in the order
  /// with the last axis fastest.
  [[nodiscard]] static std::vector<std::int64_t> places_in_c_order(const Shape& shape) {
    Shape stride(shape.size(), 1);
    for (std::size_t axis = shape.size(); axis-- > 1;)
      stride[axis - 1] = stride[axis] * shape[axis];
    std::vector<std::int64_t> places{0};
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      std::vector<std::int64_t> wider;
      wider.reserve(places.size() * static_cast<std::size_t>(shape[axis]));
      for (std::int64_t step = 0; step < shape[axis]; ++step) {
        for (const std::int64_t place : places) wider.push_back(place + step * stride[axis]);
      }
      places = std::move(wider);
    }
    return places;
  }

  NpyHeader header_;
  std::shared_ptr<const ByteSource> bytes_;
  std::int64_t block_rows_ = 1;
  mutable std::mutex mutex_;
  mutable std::deque<Block> blocks_;
};

std::shared_ptr<const StoredArray> open_array(std::shared_ptr<const ByteSource> bytes,
                                              const std::string& description) {
  NpyHeader header = read_npy_header(*bytes, description);
  if (header.fortran_order && header.shape.size() > 1) {
    return std::make_shared<const ColumnMajorArray>(std::move(header), std::move(bytes));
  }
  return std::make_shared<const RowMajorArray>(std::move(header), std::move(bytes));
}

bool starts_with(const MappedFile& map, std::string_view magic) {
  return map.bytes.size() >= magic.size() &&
         std::equal(magic.begin(), magic.end(), reinterpret_cast<const char*>(map.bytes.data()));
}

}  // namespace

std::string describe_array(const std::string& name, const std::filesystem::path& file) {
  return fmt::format("array '{}' of '{}'", name, file.string());
}

namespace {

MappedFile map_arrays(const std::filesystem::path& file) {
  try {
    return map_file(file);
  } catch (const InvalidInput& error) {
    throw InvalidInput(
        fmt::format("data: {}, expected an .npz or .npy file, or a folder", error.what()));
  }
}

}  // namespace

ArrayFile open_arrays(const std::filesystem::path& file,
                      const std::filesystem::path& cache_folder) {
  const MappedFile map = map_arrays(file);
  ArrayFile result{.path = file, .is_archive = starts_with(map, "PK"), .arrays = {}};
  if (starts_with(map, "\x93NUMPY")) {
    const std::string name = file.stem().string();
    result.arrays[name] = open_array(mapped_bytes(map), describe_array(name, file));
    return result;
  }
  if (!result.is_archive) {
    throw InvalidInput(fmt::format(
        "data: '{}' is neither an .npz nor an .npy file; write it with numpy.savez or numpy.save",
        file.string()));
  }
  for (const ZipMember& member : read_zip(map, file, cache_folder)) {
    constexpr std::string_view kExtension = ".npy";
    if (!member.name.ends_with(kExtension)) {
      throw InvalidInput(fmt::format(
          "data: member '{}' of '{}' is not an .npy array; write the file with numpy.savez",
          member.name, file.string()));
    }
    const std::string name = member.name.substr(0, member.name.size() - kExtension.size());
    const bool is_new =
        result.arrays.emplace(name, open_array(member.bytes, describe_array(name, file))).second;
    if (!is_new)
      throw InvalidInput(fmt::format("data: '{}' holds array '{}' twice", file.string(), name));
  }
  return result;
}

}  // namespace quantsearch
