#include "data/numpy_files.h"

#include <fmt/core.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <cstdint>

#include "quantsearch/base/error.h"

namespace quantsearch::testing {

namespace {

std::string little_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int byte = 0; byte < bytes; ++byte) text += static_cast<char>((value >> (8 * byte)) & 0xff);
  return text;
}

std::string numpy_code(DataType type) {
  const char kind = type == DataType::boolean   ? 'b'
                    : is_floating(type)         ? 'f'
                    : to_string(type)[0] == 'u' ? 'u'
                                                : 'i';
  return fmt::format("{}{}{}", bits_of(type) == 8 ? '|' : '<', kind, bits_of(type) / 8);
}

std::string deflated(const std::string& content) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    throw InternalError("zlib cannot start");
  }
  std::string result(deflateBound(&stream, static_cast<uLong>(content.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(result.data());
  stream.avail_out = static_cast<uInt>(result.size());
  deflate(&stream, Z_FINISH);
  result.resize(stream.total_out);
  deflateEnd(&stream);
  return result;
}

}  // namespace

std::string npy(const std::string& dictionary, std::span<const std::byte> data, int version) {
  const int length_bytes = version == 1 ? 2 : 4;
  std::string header = dictionary;
  while ((8 + static_cast<std::size_t>(length_bytes) + header.size() + 1) % 64 != 0) header += ' ';
  header += '\n';
  return std::string("\x93NUMPY") + static_cast<char>(version) + '\0' +
         little_endian(header.size(), length_bytes) + header +
         std::string(reinterpret_cast<const char*>(data.data()), data.size());
}

std::string npy(const Tensor& tensor) {
  const std::string shape =
      fmt::format("({}{})", fmt::join(tensor.shape(), ", "), tensor.shape().size() == 1 ? "," : "");
  return npy(fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': {}, }}",
                         numpy_code(tensor.type()), shape),
             tensor.bytes());
}

std::string zip(const std::vector<ZipPart>& parts) {
  std::string file;
  std::string directory;
  for (const ZipPart& part : parts) {
    const std::string data = part.deflate ? deflated(part.content) : part.content;
    const auto crc =
        ::crc32_z(0, reinterpret_cast<const Bytef*>(part.content.data()), part.content.size());
    const std::string sizes64 =
        little_endian(part.content.size(), 8) + little_endian(data.size(), 8);
    const std::string sizes32 =
        little_endian(data.size(), 4) + little_endian(part.content.size(), 4);
    const std::string sizes = part.zip64 ? std::string(8, '\xff') : sizes32;
    const std::string local_extra =
        part.zip64 ? little_endian(1, 2) + little_endian(16, 2) + sizes64 : "";
    const std::string central_extra = part.zip64 ? little_endian(1, 2) + little_endian(24, 2) +
                                                       sizes64 + little_endian(file.size(), 8)
                                                 : "";
    const std::string common = little_endian(45, 2) + little_endian(0, 2) +
                               little_endian(part.deflate ? 8 : 0, 2) + little_endian(0, 4) +
                               little_endian(crc, 4) + sizes + little_endian(part.name.size(), 2);
    directory += "PK\x01\x02" + little_endian(45, 2) + common +
                 little_endian(central_extra.size(), 2) + std::string(10, '\0') +
                 (part.zip64 ? std::string(4, '\xff') : little_endian(file.size(), 4)) + part.name +
                 central_extra;
    file += "PK\x03\x04" + common + little_endian(local_extra.size(), 2) + part.name + local_extra +
            data;
  }
  const bool is64 = !parts.empty() && parts[0].zip64;
  const std::string start = little_endian(file.size(), 8);
  std::string end;
  if (is64) {
    const std::string count = little_endian(parts.size(), 8);
    end = "PK\x06\x06" + little_endian(44, 8) + little_endian(45, 2) + little_endian(45, 2) +
          little_endian(0, 8) + count + count + little_endian(directory.size(), 8) + start;
    end += "PK\x06\x07" + little_endian(0, 4) + little_endian(file.size() + directory.size(), 8) +
           little_endian(1, 4);
  }
  const std::string count16 = is64 ? std::string(2, '\xff') : little_endian(parts.size(), 2);
  end += "PK\x05\x06" + little_endian(0, 4) + count16 + count16 +
         little_endian(directory.size(), 4) +
         (is64 ? std::string(4, '\xff') : little_endian(file.size(), 4)) + little_endian(0, 2);
  return file + directory + end;
}

}  // namespace quantsearch::testing
