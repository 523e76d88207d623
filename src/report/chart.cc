#include "report/chart.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace quantsearch {

namespace {

constexpr double kWidth = 640;
constexpr double kHeight = 320;
constexpr double kLeft = 70;
constexpr double kRight = 15;
constexpr double kTop = 30;
constexpr double kBottom = 45;
constexpr int kTicks = 5;

/// Maps the values of one axis to pixels.
class Scale {
 public:
  Scale(double from_pixel, double to_pixel) : from_pixel_(from_pixel), to_pixel_(to_pixel) {}

  void include(double value) {
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
  }
  void use_decades() { decades_ = low_ > 0 && high_ > 100 * low_; }
  [[nodiscard]] double pixel(double value) const {
    const double width = along(high_) - along(low_);
    const double share = width > 0 ? (along(value) - along(low_)) / width : 0.5;
    return from_pixel_ + share * (to_pixel_ - from_pixel_);
  }
  [[nodiscard]] std::vector<double> ticks() const {
    if (!(high_ > low_)) return {low_};
    std::vector<double> values;
    for (int tick = 0; tick < kTicks; ++tick) {
      const double at = along(low_) + (along(high_) - along(low_)) * tick / (kTicks - 1);
      values.push_back(decades_ ? std::pow(10, at) : at);
    }
    return values;
  }

 private:
  [[nodiscard]] double along(double value) const { return decades_ ? std::log10(value) : value; }

  double from_pixel_;
  double to_pixel_;
  double low_ = std::numeric_limits<double>::infinity();
  double high_ = -std::numeric_limits<double>::infinity();
  bool decades_ = false;
};

std::vector<ChartPoint> finite(std::vector<ChartPoint> points) {
  std::erase_if(points, [](const ChartPoint& point) {
    return !std::isfinite(point.x) || !std::isfinite(point.y);
  });
  return points;
}

std::string axes(const Chart& chart, const Scale& x, const Scale& y) {
  std::string text;
  for (const double value : x.ticks()) {
    text +=
        fmt::format("<text class='tick' x='{:.1f}' y='{:.1f}' text-anchor='middle'>{:.4g}</text>",
                    x.pixel(value), kHeight - kBottom + 16, value);
  }
  for (const double value : y.ticks()) {
    text += fmt::format("<line class='grid' x1='{:.1f}' y1='{:.1f}' x2='{:.1f}' y2='{:.1f}'/>",
                        kLeft, y.pixel(value), kWidth - kRight, y.pixel(value));
    text += fmt::format("<text class='tick' x='{:.1f}' y='{:.1f}' text-anchor='end'>{:.4g}</text>",
                        kLeft - 6, y.pixel(value) + 4, value);
  }
  text += fmt::format("<text class='axis' x='{:.1f}' y='{:.1f}' text-anchor='middle'>{}</text>",
                      (kLeft + kWidth - kRight) / 2, kHeight - 8, escaped(chart.x_label));
  text +=
      fmt::format("<text class='axis' x='{:.1f}' y='18'>{}</text>", 6.0, escaped(chart.y_label));
  return text;
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string svg_of(const Chart& chart) {
  const std::vector<ChartPoint> points = finite(chart.points);
  const std::vector<ChartPoint> line = finite(chart.line);
  if (points.empty()) return "";
  Scale x(kLeft, kWidth - kRight);
  Scale y(kHeight - kBottom, kTop);
  for (const auto* const series : {&points, &line}) {
    for (const ChartPoint& point : *series) {
      x.include(point.x);
      y.include(point.y);
    }
  }
  y.use_decades();
  std::string text = fmt::format(
      "<figure><figcaption>{}</figcaption><svg viewBox='0 0 {:.0f} {:.0f}' role='img' "
      "aria-label='{}'>",
      escaped(chart.title), kWidth, kHeight, escaped(chart.title));
  text += axes(chart, x, y);
  if (line.size() > 1) {
    text += "<polyline class='line' points='";
    for (const ChartPoint& point : line)
      text += fmt::format("{:.1f},{:.1f} ", x.pixel(point.x), y.pixel(point.y));
    text += "'/>";
  }
  for (const ChartPoint& point : points) {
    text +=
        fmt::format("<circle class='{}' cx='{:.1f}' cy='{:.1f}' r='4'><title>{}</title></circle>",
                    point.style, x.pixel(point.x), y.pixel(point.y), escaped(point.label));
  }
  return text + "</svg></figure>\n";
}

}  // namespace quantsearch
