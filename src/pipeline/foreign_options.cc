// Quark's names of methods that are not implemented here, and of settings that have no meaning
// here.

#include <algorithm>

#include "pipeline/option_table.h"

namespace quantsearch::options {

namespace {

void add(std::vector<Foreign>& table, const std::vector<Value>& accepted, const std::string& reason,
         std::initializer_list<const char*> names) {
  for (const char* name : names)
    table.push_back({.name = name, .accepted = accepted, .reason = reason});
}

/// Switches of whole methods: only the listed value is accepted.
void add_refused_methods(std::vector<Foreign>& table) {
  add(table, {false}, "the DPU's decomposition of it is not built",
      {"extra_options.ConvertSoftmaxToDPUVersion",
       "extra_options.ConvertInstanceNormToDPUVersion"});
  add(table, {true}, "choose a calibration method with float scales instead",
      {"extra_options.UsePowerOf2Scale"});
  add(table, {false}, "weights are stored as integers", {"extra_options.AddQDQPairToWeight"});
  add(table, {false}, "one Q/DQ pair serves all readers of a tensor",
      {"extra_options.DedicatedQDQPair"});
  add(table, {"All"}, "only the mode All is built", {"extra_options.MinMSEModePof2Scale"});
}

/// Options of methods that are refused as a whole: without the switch they have no effect.
void add_options_of_refused_methods(std::vector<Foreign>& table) {
  add(table, {"cpu"}, "fine-tuning runs on the CPU",
      {"extra_options.FastFinetune.OptimDevice", "extra_options.FastFinetune.InferDevice"});
  add(table, {}, "one way serves all: the memory budget decides what is kept and what is spilled",
      {"extra_options.FastFinetune.MemOptLevel", "extra_options.FastFinetune.CacheDir"});
  add(table, {}, "each layer's error before and after is in the log",
      {"extra_options.FastFinetune.LogPeriod"});
  add(table, {}, "data stream, there is no loader to set up",
      {"extra_options.FastFinetune.NumWorkers", "extra_options.FastFinetune.PinMemory",
       "extra_options.FastFinetune.UseGDS"});
  add(table, {false}, "layers are tuned in order, each on what the tuned ones before it give",
      {"extra_options.FastFinetune.Parallel"});
  add(table, {Value()}, "the reference is the float model",
      {"extra_options.FastFinetune.RefModelPath"});

  add(table, {}, "readers of one type share a pair, readers of two types never do",
      {"extra_options.AutoMixprecision.NoInputQDQShared",
       "extra_options.AutoMixprecision.SharedParamMode"});
  add(table, {false}, "each reader of a tensor gets its type from the float value",
      {"extra_options.AutoMixprecision.DualQuantNodes"});
  add(table, {false}, "fine-tuning comes after the formats are chosen (include_fast_ft)",
      {"extra_options.AutoMixprecision.AutoMixUseFastFT"});
  add(table, {}, "a stage that is in the cache is not run again",
      {"extra_options.AutoMixprecision.SensitivityCacheFile",
       "extra_options.AutoMixprecision.WorkerNum"});
  add(table, {Value(Value::List{}), Value()},
      "name layers in IncludeLayers and ExcludeLayers, or give node_formats",
      {"extra_options.AutoMixprecision.TargetTensors",
       "extra_options.AutoMixprecision.TargetIndices",
       "extra_options.AutoMixprecision.ExcludeIndices"});
  add(table, {Value()},
      "biases are int32 with the scale of their products, or float (QuantizeBias)",
      {"extra_options.AutoMixprecision.BiasTargetQuantType"});
  add(table, {Value()}, "use Top1AccTarget, or let a search's evaluator decide",
      {"extra_options.AutoMixprecision.EvaluateFunction",
       "extra_options.AutoMixprecision.MetricEvaluateFn",
       "extra_options.AutoMixprecision.MetricDistanceFn"});
  add(table, {Value()}, "give the target types",
      {"extra_options.AutoMixprecision.TargetLayerConfig"});
  add(table, {Value()}, "layers are found in the graph",
      {"extra_options.AutoMixprecision.SubgraphJson"});
}

/// Hints about Quark's own implementation.
void add_hints(std::vector<Foreign>& table) {
  add(table, {}, "calibration streams in one pass on all threads, nothing is cached on disk",
      {"extra_options.CalibWorkerNum", "extra_options.CalibOptimizeMem",
       "extra_options.CalibOptimizeDisk", "extra_options.TmpDir"});
  add(table, {}, "the log says it",
      {"extra_options.PrintSummary", "extra_options.IgnoreWarnings", "extra_options.DebugMode"});
  add(table, {}, "data-movement operators always share their input's parameters",
      {"extra_options.ForceQuantizeNoInputCheck", "extra_options.AlignSlice",
       "extra_options.AlignTranspose", "extra_options.AlignReshape"});
  add(table, {}, "Relu and Clip are always folded where the range allows it",
      {"extra_options.FoldRelu", "extra_options.RemoveQDQConvRelu",
       "extra_options.RemoveQDQConvClip"});
  add(table, {}, "statistics always have 2048 bins a side or more", {"extra_options.NumBins"});
  add(table, {}, "external data are written when the file would pass 2 GB",
      {"use_external_data_format"});
  add(table, {}, "the graph is always simplified by named passes", {"extra_options.OptimizeModel"});
  add(table, {}, "int32 biases always have the scale s_in * s_w",
      {"extra_options.AdjustBiasScale"});
  add(table, {}, "biases with several readers are always duplicated",
      {"extra_options.CopyBiasInit"});
  add(table, {false}, "use MatMulConstBOnly and exclusion lists", {"enable_npu_transformer"});
}

}  // namespace

const std::vector<Foreign>& foreign_table() {
  static const std::vector<Foreign> kTable = [] {
    std::vector<Foreign> rows;
    add_refused_methods(rows);
    add_options_of_refused_methods(rows);
    add_hints(rows);
    return rows;
  }();
  return kTable;
}

const Foreign* find_foreign(const std::string& name) {
  const auto found = std::ranges::find(foreign_table(), name, &Foreign::name);
  return found == foreign_table().end() ? nullptr : &*found;
}

}  // namespace quantsearch::options
