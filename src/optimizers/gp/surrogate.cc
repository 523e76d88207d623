#include "optimizers/gp/surrogate.h"

namespace quantsearch::gp {

namespace {

constexpr Eigen::Index kBlock = 256;  // number of points whose kernel values fit in the cache

}  // namespace

Eigen::VectorXd Surrogate::worth(const Eigen::MatrixXd& features) const {
  const auto outputs = static_cast<Eigen::Index>(outputs_.size());
  Eigen::VectorXd result(features.cols());
  for (Eigen::Index begin = 0; begin < features.cols(); begin += kBlock) {
    const Eigen::Index count = std::min(kBlock, features.cols() - begin);
    const Eigen::MatrixXd block = features.middleCols(begin, count);
    Eigen::MatrixXd means(count, 0);
    Eigen::MatrixXd variances(count, outputs);
    for (Eigen::Index output = 0; output < outputs; ++output) {
      const auto own = outputs_[static_cast<std::size_t>(output)].marginals(block);
      means.conservativeResize(Eigen::NoChange, means.cols() + own.means.cols());
      means.rightCols(own.means.cols()) = own.means;
      variances.col(output) = own.variances;
    }
    for (Eigen::Index i = 0; i < count; ++i) {
      result[begin + i] = (*acquisition_)(means.row(i), variances.row(i)).value;
    }
  }
  return result;
}

Eigen::VectorXd Surrogate::bounds(const Eigen::MatrixXd& features) const {
  Eigen::VectorXd greatest(static_cast<Eigen::Index>(outputs_.size()));
  for (std::size_t output = 0; output < outputs_.size(); ++output) {
    greatest[static_cast<Eigen::Index>(output)] = outputs_[output].amplitude();
  }
  Eigen::VectorXd result(features.cols());
  for (Eigen::Index begin = 0; begin < features.cols(); begin += kBlock) {
    const Eigen::Index count = std::min(kBlock, features.cols() - begin);
    const Eigen::MatrixXd block = features.middleCols(begin, count);
    Eigen::MatrixXd means(count, 0);
    for (const Posterior& output : outputs_) {
      const Eigen::MatrixXd own = output.means(block);
      means.conservativeResize(Eigen::NoChange, means.cols() + own.cols());
      means.rightCols(own.cols()) = own;
    }
    for (Eigen::Index i = 0; i < count; ++i) {
      result[begin + i] = acquisition_->bound(means.row(i), greatest);
    }
  }
  return result;
}

Evaluation Surrogate::worth_at(const Eigen::VectorXd& features) const {
  std::vector<Posterior::Local> locals;
  Eigen::Index count = 0;
  for (const Posterior& output : outputs_) {
    locals.push_back(output.at(features));
    count += locals.back().means.size();
  }
  Eigen::VectorXd means(count);
  Eigen::VectorXd variances(static_cast<Eigen::Index>(outputs_.size()));
  Eigen::Index begin = 0;
  for (std::size_t output = 0; output < locals.size(); ++output) {
    means.segment(begin, locals[output].means.size()) = locals[output].means;
    variances[static_cast<Eigen::Index>(output)] = locals[output].variance;
    begin += locals[output].means.size();
  }
  const Worth worth = (*acquisition_)(means, variances);
  Evaluation result{.value = worth.value, .gradient = Eigen::VectorXd::Zero(features.size())};
  begin = 0;
  for (std::size_t output = 0; output < locals.size(); ++output) {
    const Eigen::Index scenarios = locals[output].means.size();
    result.gradient +=
        outputs_[output].gradient(locals[output], worth.by_means.segment(begin, scenarios),
                                  worth.by_variances[static_cast<Eigen::Index>(output)]);
    begin += scenarios;
  }
  return result;
}

}  // namespace quantsearch::gp
