// Tests that docs/configuration.md agrees with the option table.

#include <gtest/gtest.h>

#include "quantsearch/internal/base/files.h"
#include "quantsearch/pipeline/settings.h"

namespace quantsearch {
namespace {

TEST(Documentation, HasARowForEveryOption) {
  const std::string page =
      read_file(std::string(QUANTSEARCH_SOURCE_DIR) + "/docs/configuration.md");
  for (const OptionInfo& option : all_options()) {
    EXPECT_NE(page.find("| `" + option.name + "` | " + option.meaning + " |"), std::string::npos)
        << option.name;
  }
}

}  // namespace
}  // namespace quantsearch
