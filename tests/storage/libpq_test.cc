#include "storage/libpq.h"

#include <gtest/gtest.h>

#include "quantsearch/base/error.h"

namespace quantsearch {
namespace {

TEST(Libpq, IsNeededOnlyWhenAStudyOnAServerIsOpened) {
  try {
    (void)load_libpq("libpq-absent.so.5");
    FAIL() << "nothing was thrown";
  } catch (const Unsupported& error) {
    EXPECT_STREQ(error.what(),
                 "study database: the client library of PostgreSQL cannot be loaded "
                 "(libpq-absent.so.5: cannot open shared object file: No such file or directory); "
                 "install it (libpq5 on Debian), or keep the study in a file");
  }
}

TEST(Libpq, IsRefusedWhenItLacksAFunction) {
  try {
    (void)load_libpq("libc.so.6");
    FAIL() << "nothing was thrown";
  } catch (const Unsupported& error) {
    EXPECT_NE(std::string(error.what()).find("undefined symbol: PQclear"), std::string::npos)
        << error.what();
  }
}

TEST(Libpq, IsLoadedOnce) { EXPECT_EQ(&libpq(), &libpq()); }

}  // namespace
}  // namespace quantsearch
