#pragma once

// Writes Gather nodes whose table is stored as integers.

#include <map>
#include <string>

#include "quantize/numbers/tables.h"
#include "quantize/writing/qdq_writer.h"
#include "quantsearch/quantize.h"

namespace quantsearch {

class TableWriter {
 public:
  /// `writer` must outlive the object.
  explicit TableWriter(QdqWriter& writer) : writer_(writer) {}

  /// Appends `gather` on the integers of `table`, which are written as `stored`, and the nodes that
  /// convert the gathered integers to values:
  ///   one scale, or scales along another axis:       DequantizeLinear(Gather(integers))
  ///   one scale for each entry of the Gather's axis:
  ///                          (Cast(Gather(integers)) - Gather(zero points)) * Gather(scales)
  void write(Node gather, const QuantizedTensor& table, const StoredIntegers& stored);

 private:
  void scale_rows(const Node& gather, const QuantizedTensor& table, const std::string& integers,
                  const std::string& output);
  std::string gather_rows(const Node& gather, const std::string& label, Tensor values);

  QdqWriter& writer_;
  std::map<std::string, std::string> columns_;  // label -> initializer with scales or zero points
};

}  // namespace quantsearch
