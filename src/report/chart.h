#pragma once

// Small charts as SVG, drawn without any script.

#include <string>
#include <vector>

namespace quantsearch {

struct ChartPoint {
  double x = 0;
  double y = 0;
  std::string label = {};     // shown when the mouse rests on it
  std::string style = "dot";  // class in the page's style sheet
};

struct Chart {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<ChartPoint> points;
  std::vector<ChartPoint> line = {};  // through these, in their order
};

/// Axes from the least to the largest value; a y axis in decades when all y are positive and span
/// more than two of them. "" when there is no point. Values that are not finite are left out.
[[nodiscard]] std::string svg_of(const Chart& chart);

/// The five characters that HTML reads otherwise.
[[nodiscard]] std::string escaped(const std::string& text);

}  // namespace quantsearch
