#include <algorithm>
#include <cmath>

#include <quarq/retry.hpp>

#include "model/record.hpp"

namespace quarq {

retry_policy::milliseconds retry_policy::pause_after(int n, double random) const noexcept {
  const double grown = static_cast<double>(first_.count()) * std::pow(factor_, std::max(n, 1) - 1);
  const double bounded = std::min(grown, static_cast<double>(max_.count()));
  const double spread = bounded * (1 + jitter_ * (2 * random - 1));
  // The numbers come from whoever enqueued: they may overflow or be NaN. (A comparison with NaN is false.)
  if (!(spread > 0)) return milliseconds{0};
  constexpr auto longest = static_cast<double>(model::max_time.count());
  return milliseconds(static_cast<milliseconds::rep>(std::min(spread, longest)));
}

}  // namespace quarq
