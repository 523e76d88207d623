#pragma once

// How the points of a search are shown to people: what all of them have in common once, and of each
// point only what differs, with short names.

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "quantsearch/search/space.h"

namespace quantsearch {

class PointText {
 public:
  PointText() = default;
  /// A parameter with one choice is common to all points of a space where it has an effect.
  [[nodiscard]] static PointText of(const Space& space);
  /// An option is common when each point has it with the same value.
  [[nodiscard]] static PointText of(const std::vector<const Point*>& points);

  /// "activation_type=QUInt8 cle=false"; empty when the points have nothing in common.
  [[nodiscard]] std::string common() const;
  /// One line for each letter that stands for a long value, such as "nodes_to_exclude=B: 5 values,
  /// 'a', 'b' and 3 more".
  [[nodiscard]] std::vector<std::string> letters() const;
  /// What is not common: "calibrate_method=Entropy per_channel". A switch is shown only where it is
  /// on. "-" when nothing is left.
  [[nodiscard]] std::string text(const Point& point) const;
  /// The same with the beginning of a long value in place of its letter.
  [[nodiscard]] std::string spelled_out(const Point& point) const;

  /// True when a point may have a switch that is off, which its text leaves out.
  [[nodiscard]] bool has_switches() const { return has_switches_; }

  /// The name of an option without the groups that contain it and without "include_"; with the last
  /// group when another option has the same short name.
  [[nodiscard]] std::string short_name(const std::string& option) const;

 private:
  using Choices = std::map<std::string, std::vector<Value>>;
  PointText(const Choices& choices, const Point& common);
  [[nodiscard]] std::string value_text(const std::string& option, const Value& value) const;
  [[nodiscard]] std::string setting_text(const std::string& option, const Value& value) const;

  Point common_;
  bool has_switches_ = false;
  std::map<std::string, int> uses_;  // of short names
  Choices long_choices_;             // values that are shown as letters
};

}  // namespace quantsearch
