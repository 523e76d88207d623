#include <gtest/gtest.h>

#include "quantsearch/pipeline/quantize_model.h"
#include "quantsearch/pipeline/settings.h"

namespace quantsearch {
namespace {

OpenRemedies remedies_left_by(const std::string& yaml) {
  return open_remedies(resolve(settings_from(parse_yaml(yaml, "test"))));
}

TEST(OpenRemedies, AreAllButTheTargetByDefault) {
  const OpenRemedies open = remedies_left_by("{activation_type: QUInt8}");
  EXPECT_TRUE(open.on_cpu && open.reduce_range && open.reconstruction && open.wide_activations &&
              open.fewer_operators);
  EXPECT_FALSE(open.target_cpu);
  EXPECT_TRUE(remedies_left_by("{target: cpu-vnni}").target_cpu);
}

TEST(OpenRemedies, LeaveOutWhatTheConfigurationUses) {
  const OpenRemedies open = remedies_left_by(
      "{activation_type: QUInt16, reduce_range: true, include_fast_ft: true, "
      "op_types_to_quantize: [Conv]}");
  EXPECT_FALSE(open.reduce_range || open.reconstruction || open.wide_activations ||
               open.fewer_operators);
}

TEST(OpenRemedies, AreNotAboutThisProcessorForAnNpu) {
  EXPECT_FALSE(remedies_left_by("{preset: XINT8}").on_cpu);
}

}  // namespace
}  // namespace quantsearch
