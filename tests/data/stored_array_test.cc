#include "data/stored_array.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <thread>

#include "data/numpy_files.h"
#include "quantsearch/base/error.h"
#include "quantsearch/base/random.h"
#include "quantsearch/internal/base/files.h"
#include "support/model_builder.h"

namespace quantsearch {
namespace {

using testing::npy;
using testing::random_tensor;
using testing::zip;

class StoredArrays : public ::testing::Test {
 protected:
  std::filesystem::path write(const std::string& content, const std::string& name = "f.npz") const {
    // Hundreds of small files need no fsync, so write_file_atomically is not used.
    std::ofstream(folder_.path() / name, std::ios::binary) << content;
    return folder_.path() / name;
  }
  std::shared_ptr<const StoredArray> open(const std::string& content) const {
    return open_arrays(write(content)).arrays.begin()->second;
  }
  std::string message_of(const std::string& content) const {
    const auto path = write(content);
    return message_of(path, [&] {
      for (const auto& [name, array] : open_arrays(path).arrays)
        (void)array->rows(0, array->shape()[0]);
    });
  }
  template <typename Action>
  static std::string message_of(const std::filesystem::path& path, const Action& action) {
    try {
      action();
    } catch (const Error& error) {
      std::string message = error.what();
      message.replace(message.find(path.string()), path.string().size(), "f.npz");
      return message;
    }
    return "no error";
  }
  TemporaryFolder folder_;
};

/// [rows, 2048]; row r holds r and its square in turns.
Tensor rows_and_squares(std::int64_t rows) {
  constexpr std::int64_t kColumns = 2048;
  Tensor values(DataType::float64, {rows, kColumns});
  const std::span<double> out = values.mutable_values<double>();
  for (std::size_t index = 0; index < out.size(); ++index) {
    const auto row = static_cast<double>(index / kColumns);
    out[index] = index % 2 == 0 ? row : row * row;
  }
  return values;
}

TEST_F(StoredArrays, RowsAreTheSameHoweverTheFileIsWritten) {
  const Tensor values = random_tensor({7, 3, 5}, 1);
  const std::string plain = npy(values);
  for (const std::string& file :
       {plain, zip({{.name = "x.npy", .content = plain}}),
        zip({{.name = "x.npy", .content = plain, .deflate = true}}),
        zip({{.name = "x.npy", .content = plain, .zip64 = true}}),
        zip({{.name = "x.npy", .content = plain, .deflate = true, .zip64 = true}})}) {
    const auto array = open(file);
    EXPECT_EQ(array->shape(), (Shape{7, 3, 5}));
    EXPECT_EQ(array->rows(0, 7), values);
    EXPECT_EQ(array->rows(6, 1), values.rows(6, 1));
    EXPECT_EQ(array->rows(2, 3), values.rows(2, 3));
  }
}

TEST_F(StoredArrays, FortranOrderGivesTheRowsComputedByHand) {
  // The elements of [[1, 2, 3], [4, 5, 6]] column after column.
  const std::vector<float> columns = {1, 4, 2, 5, 3, 6};
  const auto array = open(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }",
                              std::as_bytes(std::span(columns))));
  EXPECT_EQ(array->rows(0, 2), Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(array->rows(1, 1), Tensor::of<float>({1, 3}, {4, 5, 6}));
}

TEST_F(StoredArrays, FortranOrderOfFourAxesAgreesWithTheDefinition) {
  const Shape shape = {3, 2, 4, 5};
  const Tensor values = random_tensor(shape, 2);
  std::vector<float> fortran(120);
  for (std::size_t index = 0; index < 120; ++index) {
    const std::size_t d = index % 5, c = index / 5 % 4, b = index / 20 % 2, a = index / 40;
    fortran[a + 3 * (b + 2 * (c + 4 * d))] = values.values<float>()[index];
  }
  const std::string file = npy("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2, 4, 5), }",
                               std::as_bytes(std::span(fortran)));
  EXPECT_EQ(open(file)->rows(0, 3), values);
  EXPECT_EQ(open(zip({{.name = "x.npy", .content = file, .deflate = true}}))->rows(1, 2),
            values.rows(1, 2));
}

TEST_F(StoredArrays, FortranOrderBeyondOneBlockKeepsItsRows) {
  // The array has 40 rows of 1 MB, and blocks hold 32 of them.
  constexpr std::int64_t kRows = 40, kColumns = 1 << 18;
  std::vector<float> fortran(kRows * kColumns);
  for (std::size_t index = 0; index < fortran.size(); ++index)
    fortran[index] = static_cast<float>(index % kRows);
  const auto array = open(npy("{'descr': '<f4', 'fortran_order': True, 'shape': (40, 262144), }",
                              std::as_bytes(std::span(fortran))));
  const Tensor rows = array->rows(30, 4);
  for (std::int64_t row = 0; row < 4; ++row) {
    for (const float value : rows.rows(row, 1).values<float>())
      ASSERT_EQ(value, static_cast<float>(30 + row));
  }
}

TEST_F(StoredArrays, BigEndianElementsAreSwapped) {
  const std::byte bytes[] = {std::byte{1}, std::byte{2}, std::byte{0xff}, std::byte{0xfe}};
  EXPECT_EQ(
      open(npy("{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }", bytes))->rows(0, 2),
      Tensor::of<std::int16_t>({2}, {0x0102, -2}));
}

TEST_F(StoredArrays, ManyThreadsReadALongDeflatedMemberInRandomOrder) {
  // 130 MB decoded are kept in a file.
  constexpr std::int64_t kRows = 8192;
  const Tensor values = rows_and_squares(kRows);
  const auto array = open(zip({{.name = "x.npy", .content = npy(values), .deflate = true}}));
  const auto check = [&](std::uint64_t seed) {
    RandomStream stream(seed);
    for (int reading = 0; reading < 60; ++reading) {
      const auto row = static_cast<std::int64_t>(stream.below(kRows - 2));
      EXPECT_EQ(array->rows(row, 2), values.rows(row, 2)) << row;
    }
  };
  std::vector<std::jthread> threads;
  for (std::uint64_t seed = 0; seed < 4; ++seed) threads.emplace_back(check, seed);
  threads.clear();
  EXPECT_EQ(array->rows(kRows - 1, 1), values.rows(kRows - 1, 1));
}

TEST_F(StoredArrays, ALongDeflatedMemberIsDecodedAsFarAsItIsRead) {
  const Tensor values = rows_and_squares(2048);
  std::string file = zip({{.name = "x.npy", .content = npy(values), .deflate = true}});
  const std::size_t crc = file.find("PK\x01\x02") + 16;
  file[crc] = static_cast<char>(file[crc] ^ 1);
  const auto array = open(file);
  EXPECT_EQ(array->rows(7, 2), values.rows(7, 2));
  const std::string damaged =
      "data: member 'x.npy' of 'f.npz' is damaged: its checksum is wrong; write or copy the file "
      "again";
  const auto read_last = [&] { (void)array->rows(2047, 1); };
  EXPECT_EQ(message_of(folder_.path() / "f.npz", read_last), damaged);
  EXPECT_EQ(message_of(folder_.path() / "f.npz", read_last), damaged);
  EXPECT_EQ(array->rows(8, 2), values.rows(8, 2));
}

TEST_F(StoredArrays, AShortDeflatedMemberNeedsNoCacheFolder) {
  const Tensor values = random_tensor({7, 3}, 6);
  const auto file = write(zip({{.name = "x.npy", .content = npy(values), .deflate = true}}));
  const std::filesystem::path cache = folder_.path() / "cache";
  const ArrayFile opened = open_arrays(file, cache);
  EXPECT_EQ(opened.arrays.at("x")->rows(0, 7), values);
  EXPECT_FALSE(std::filesystem::exists(cache));
}

/// Limits the size of new files, which fails as a full disk does, also for root.
class SmallDisk {
 public:
  explicit SmallDisk(std::int64_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    EXPECT_EQ(getrlimit(RLIMIT_FSIZE, &before_), 0);
    const rlimit limit{.rlim_cur = static_cast<rlim_t>(bytes), .rlim_max = before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &before_), 0);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

TEST_F(StoredArrays, AFullDiskNamesTheWaysOut) {
  const Tensor values = rows_and_squares(2048);
  const auto file = write(zip({{.name = "x.npy", .content = npy(values), .deflate = true}}));
  const std::filesystem::path cache = folder_.path() / "cache";
  const SmallDisk disk(1 << 20);
  EXPECT_EQ(message_of(file, [&] { (void)open_arrays(file, cache); }),
            "data: the decoded bytes of member 'x.npy' of 'f.npz' cannot be written in '" +
                cache.string() +
                "': File too large; give a cache folder or a TMPDIR with more space, or write the "
                "file uncompressed with numpy.savez");
}

TEST_F(StoredArrays, ReportsDamageInOneSentence) {
  const std::string plain = npy(random_tensor({64, 8}, 3));
  const std::string stored = zip({{.name = "x.npy", .content = plain}});
  std::string changed = stored;
  changed[1000] = static_cast<char>(changed[1000] ^ 1);
  std::string method = stored;
  const std::size_t central = stored.find("PK\x01\x02");
  method[central + 10] = 14;
  std::string encrypted = stored;
  encrypted[central + 8] = 1;
  std::string wrong_crc = zip({{.name = "x.npy", .content = plain, .deflate = true}});
  const std::size_t crc = wrong_crc.find("PK\x01\x02") + 16;
  wrong_crc[crc] = static_cast<char>(wrong_crc[crc] ^ 1);
  std::string undecodable = zip({{.name = "x.npy", .content = plain, .deflate = true}});
  for (std::size_t place = 40; place < 400; ++place) undecodable[place] = '\xff';
  std::string too_long = zip({{.name = "x.npy", .content = plain, .deflate = true}});
  too_long[too_long.find("PK\x01\x02") + 27] = 1;  // 16 MiB from 2 KB
  const std::string directory =
      "data: 'f.npz' is truncated or damaged: its zip directory does not fit the file; write or "
      "copy the file again";
  const std::pair<std::string, std::string> cases[] = {
      {"not an array",
       "data: 'f.npz' is neither an .npz nor an .npy file; write it with numpy.savez or "
       "numpy.save"},
      {"",
       "data: 'f.npz' is neither an .npz nor an .npy file; write it with numpy.savez or "
       "numpy.save"},
      {stored.substr(0, stored.size() / 2), directory},
      {"PK", directory},
      {stored.substr(100),
       "data: 'f.npz' is neither an .npz nor an .npy file; write it with numpy.savez or "
       "numpy.save"},
      {changed,
       "data: member 'x.npy' of 'f.npz' is damaged: its checksum is wrong; write or copy the file "
       "again"},
      {wrong_crc,
       "data: member 'x.npy' of 'f.npz' is damaged: its checksum is wrong; write or copy the file "
       "again"},
      {undecodable,
       "data: member 'x.npy' of 'f.npz' is damaged: its compressed bytes cannot be decoded; write "
       "or copy the file again"},
      {too_long, directory},
      {method,
       "data: member 'x.npy' of 'f.npz' is compressed with zip method 14, expected stored or "
       "deflated; write it with "
       "numpy.savez or numpy.savez_compressed"},
      {encrypted, "data: member 'x.npy' of 'f.npz' is encrypted; write it without a password"},
      {zip({{.name = "notes.txt", .content = "hello"}}),
       "data: member 'notes.txt' of 'f.npz' is not an .npy array; write the file with numpy.savez"},
      {zip({{.name = "x.npy", .content = plain}, {.name = "x.npy", .content = plain}}),
       "data: 'f.npz' holds array 'x' twice"},
  };
  for (const auto& [content, message] : cases) EXPECT_EQ(message_of(content), message);
}

TEST_F(StoredArrays, RefusesEveryPrefixOfAZip) {
  const std::string file =
      zip({{.name = "x.npy", .content = npy(random_tensor({4}, 4)), .deflate = true}});
  for (std::size_t length = 0; length < file.size(); ++length) {
    EXPECT_NE(message_of(file.substr(0, length)), "no error") << length;
  }
}

TEST_F(StoredArrays, AChangedByteIsAnErrorOrChangesNoValue) {
  const Tensor values = random_tensor({8, 2}, 5);
  const std::string file = zip({{.name = "x.npy", .content = npy(values), .deflate = true}});
  for (std::size_t place = 2; place < file.size(); ++place) {
    std::string changed = file;
    changed[place] = static_cast<char>(changed[place] ^ 0x55);
    try {
      const ArrayFile opened = open_arrays(write(changed));
      for (const auto& [name, array] : opened.arrays) EXPECT_EQ(array->rows(0, 8), values) << place;
    } catch (const Error&) {
    }
  }
}

}  // namespace
}  // namespace quantsearch
