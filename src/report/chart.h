#pragma once

// Small charts as SVG, without scripts.

#include <string>
#include <vector>

namespace quantsearch {

struct ChartPoint {
  double x = 0;
  double y = 0;
  std::string label = {};     // tooltip
  std::string style = "dot";  // class in the page's style sheet
};

struct Chart {
  std::string title;
  std::string x_label;
  std::string y_label;
  std::vector<ChartPoint> points;
  std::vector<ChartPoint> line = {};  // connected in their order
};

/// Draws the chart. The axes go from the smallest to the largest value; the y axis is logarithmic
/// when all y are positive and span more than two decades. Values that are not finite are left out.
/// Empty when there is no point.
[[nodiscard]] std::string svg_of(const Chart& chart);

/// The text with HTML's five special characters escaped.
[[nodiscard]] std::string escaped(const std::string& text);

}  // namespace quantsearch
