#pragma once

// The header of numpy's .npy format, versions 1 to 3
// (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html): a Python dictionary
// with the element type, the order of the elements and the shape.

#include <cstdint>
#include <string>

#include "data/byte_source.h"
#include "quantsearch/tensor.h"

namespace quantsearch {

struct NpyHeader {
  DataType type = DataType::undefined;
  bool swap_bytes = false;     // big-endian elements
  bool fortran_order = false;  // first axis runs fastest
  Shape shape;
  std::int64_t data_offset = 0;

  bool operator==(const NpyHeader&) const = default;
};

/// `description` ("array 'x' of 'file.npz'") is for messages. Throws InvalidInput when the header
/// is damaged or its shape does not fit the bytes that follow, Unsupported for objects, text,
/// complex and structured elements.
[[nodiscard]] NpyHeader read_npy_header(const ByteSource& bytes, const std::string& description);

}  // namespace quantsearch
