#include "base/addresses.hpp"

#include <algorithm>
#include <cstddef>

namespace quarq::base {

using boost::asio::ip::tcp;

std::vector<tcp::endpoint> in_turns(std::vector<tcp::endpoint> addresses) {
  if (addresses.empty()) return addresses;
  const bool first_is_v6 = addresses.front().address().is_v6();
  std::vector<tcp::endpoint> same, other, all;
  for (auto& each : addresses) (each.address().is_v6() == first_is_v6 ? same : other).push_back(each);
  for (std::size_t i = 0; i < std::max(same.size(), other.size()); ++i) {
    if (i < same.size()) all.push_back(same[i]);
    if (i < other.size()) all.push_back(other[i]);
  }
  return all;
}

}  // namespace quarq::base
