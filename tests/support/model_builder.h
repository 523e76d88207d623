#pragma once

// Small models written by hand in tests: each call adds a node and returns the name of its output.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "quantsearch/model.h"

namespace quantsearch::testing {

class ModelBuilder {
 public:
  explicit ModelBuilder(std::int64_t opset = 17);

  /// A negative size becomes the symbol "batch".
  std::string input(const std::string& name, const std::vector<std::int64_t>& shape,
                    DataType type = DataType::float32);
  std::string constant(const std::string& name, Tensor tensor);
  std::string weight(const std::string& name, const Shape& shape, const std::vector<float>& values);
  /// Uniform in [-scale, scale) from a fixed stream.
  std::string random_weight(const std::string& name, const Shape& shape, float scale,
                            std::uint64_t seed);
  /// One output, named after the node; node names are op_type + number ("Conv0") unless given.
  std::string node(const std::string& op_type, const std::vector<std::string>& inputs,
                   std::vector<Attribute> attributes = {}, const std::string& name = "");
  /// For several outputs, other domains, subgraphs.
  void add(Node node);
  void output(const std::string& tensor, const std::vector<std::int64_t>& shape,
              DataType type = DataType::float32);
  /// Unknown rank.
  void output(const std::string& tensor);
  void import_domain(const std::string& domain, std::int64_t version);

  /// The model with inferred shapes, checked.
  [[nodiscard]] Model build() const;
  /// As written, unchecked: for broken models.
  [[nodiscard]] Model build_unchecked() const { return model_; }

 private:
  Model model_;
  int next_ = 0;
};

/// Uniform in [low, high) from the seed.
[[nodiscard]] Tensor random_tensor(const Shape& shape, std::uint64_t seed, float low = -1,
                                   float high = 1);
/// One random tensor for each input of the model; symbolic dimensions become `batch`.
[[nodiscard]] std::map<std::string, Tensor> random_inputs(const Model& model, std::uint64_t seed,
                                                          std::int64_t batch = 1);

}  // namespace quantsearch::testing
