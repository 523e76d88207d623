#include "quantsearch/base/hash.h"

#include <gtest/gtest.h>

namespace quantsearch {
namespace {

TEST(KeyBuilder, FieldBoundariesMatter) {
  EXPECT_NE(KeyBuilder().add("ab").add("c").finish(), KeyBuilder().add("a").add("bc").finish());
}

TEST(KeyBuilder, EqualFieldsGiveEqualKeys) {
  EXPECT_EQ(KeyBuilder().add("x").add(1.5).add(true).finish(),
            KeyBuilder().add("x").add(1.5).add(true).finish());
}

TEST(KeyBuilder, NegativeZeroIsZero) {
  EXPECT_EQ(KeyBuilder().add(-0.0).finish(), KeyBuilder().add(0.0).finish());
}

TEST(KeyBuilder, NoFieldsGiveThePublishedDigestOfNoBytes) {
  // XXH3-128 of zero bytes, seed 0, as published with the algorithm's test vectors.
  EXPECT_EQ(KeyBuilder().finish().hex(), "99aa06d3014798d86001c324468d497f");
}

}  // namespace
}  // namespace quantsearch
