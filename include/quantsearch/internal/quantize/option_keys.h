#pragma once

// The keys under which users set the fields of QuantizeOptions. Messages name these keys instead of
// fields, and the option table declares its options under the same names.

#include <array>
#include <string_view>

namespace quantsearch::keys {

inline constexpr std::string_view kActivationType = "activation_type";
inline constexpr std::string_view kWeightType = "weight_type";
inline constexpr std::string_view kOpTypes = "op_types_to_quantize";
inline constexpr std::string_view kExtraOpTypes = "extra_op_types_to_quantize";
inline constexpr std::string_view kExcludedOpTypes = "op_types_to_exclude";
inline constexpr std::string_view kNodes = "nodes_to_quantize";
inline constexpr std::string_view kExcludedNodes = "nodes_to_exclude";
inline constexpr std::string_view kExcludedSubgraphs = "subgraphs_to_exclude";
inline constexpr std::string_view kInputNodes = "input_nodes";
inline constexpr std::string_view kOutputNodes = "output_nodes";
inline constexpr std::string_view kNodeFormats = "node_formats";
inline constexpr std::string_view kRequantize = "requantize";

inline constexpr std::array kAll = {
    kActivationType, kWeightType,        kOpTypes,    kExtraOpTypes, kExcludedOpTypes, kNodes,
    kExcludedNodes,  kExcludedSubgraphs, kInputNodes, kOutputNodes,  kNodeFormats,     kRequantize};

}  // namespace quantsearch::keys
