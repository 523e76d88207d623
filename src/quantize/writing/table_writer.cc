#include "quantize/writing/table_writer.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace quantsearch {

namespace {

std::int64_t axis_of(const Node& gather, std::int64_t rank) {
  const std::int64_t axis = gather.int_attribute("axis", 0);
  return axis < 0 ? axis + rank : axis;
}

/// One value for each row, as a tensor [rows, 1, ...] with `trailing` axes of size 1.
template <typename Number>
Tensor column_of(const std::vector<Number>& values, std::int64_t trailing) {
  Shape shape(static_cast<std::size_t>(trailing) + 1, 1);
  shape[0] = std::ssize(values);
  std::vector<float> floats(values.size());
  std::ranges::transform(values, floats.begin(),
                         [](Number value) { return static_cast<float>(value); });
  return Tensor::of<float>(std::move(shape), floats);
}

}  // namespace

void TableWriter::write(Node gather, const QuantizedTensor& table, const StoredIntegers& stored) {
  const std::string output = gather.outputs[0];
  const auto rank = std::ssize(table.integers.shape());
  const std::int64_t gathered_axis = axis_of(gather, rank);
  gather.inputs[0] = stored.integers;
  gather.outputs[0] = writer_.unique(output + "_quantized");
  const Node gathered = gather;
  writer_.add_node(std::move(gather));
  if (table.params.axis == gathered_axis)
    return scale_rows(gathered, table, gathered.outputs[0], output);
  // The position of an axis after the Gather's axis is unchanged when counted from the last.
  std::optional<std::int64_t> axis;
  if (table.params.axis >= 0)
    axis = table.params.axis > gathered_axis ? table.params.axis - rank : table.params.axis;
  writer_.add_dequantize({.label = output, .input = gathered.outputs[0], .output = output}, stored,
                         table.params, axis);
}

void TableWriter::scale_rows(const Node& gather, const QuantizedTensor& table,
                             const std::string& integers, const std::string& output) {
  const std::int64_t trailing =
      std::ssize(table.integers.shape()) - 1 - axis_of(gather, std::ssize(table.integers.shape()));
  std::string values = writer_.add_plain(output, "Cast", {integers}, "");
  writer_.last_node().set_attribute("to", static_cast<std::int64_t>(DataType::float32));
  const bool has_zero_points = std::ranges::any_of(
      table.params.zero_points, [](std::int64_t zero_point) { return zero_point != 0; });
  if (has_zero_points) {
    const std::string zero_points = gather_rows(gather, gather.inputs[0] + "_row_zero_point",
                                                column_of(table.params.zero_points, trailing));
    values = writer_.add_plain(output, "Sub", {values, zero_points}, "");
  }
  const std::string scales = gather_rows(gather, gather.inputs[0] + "_row_scale",
                                         column_of(table.params.scales, trailing));
  writer_.add_plain(output, "Mul", {values, scales}, output);
}

std::string TableWriter::gather_rows(const Node& gather, const std::string& label, Tensor values) {
  std::string& column = columns_[label];
  if (column.empty()) {
    column = writer_.unique(label);
    writer_.add_initializer(column, std::move(values));
  }
  std::string gathered = writer_.add_plain(label, "Gather", {column, gather.inputs[1]}, "");
  writer_.last_node().set_attribute("axis", std::int64_t{0});
  return gathered;
}

}  // namespace quantsearch
