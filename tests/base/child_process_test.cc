#include "quantsearch/internal/base/child_process.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

TEST(LastLine, IsFoundHoweverTheBytesArrive) {
  LastLine line;
  for (const char* piece : {"fir", "st\nsec", "ond", "\n", " \n"}) line.add(piece);
  EXPECT_EQ(line.text(), "second");
  line.add(" th");
  line.add("ird ");
  EXPECT_EQ(line.text(), "third");
}

TEST(LastLine, ALongLineIsCut) {
  LastLine line;
  for (int i = 0; i < 10000; ++i) line.add("xxxxxxxxxx");
  EXPECT_EQ(line.text().size(), 4096U);
}

}  // namespace
}  // namespace quantsearch
