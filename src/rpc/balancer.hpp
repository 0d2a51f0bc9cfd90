// Which host gets the next call: the one with the fewest under way, of those that are in service. Without I/O and
// without a clock.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

namespace quarq::rpc {

struct breaker_options {
  /// So many failures in a row take a host out of service. A connection that can't be made or is lost does at once.
  int max_failures = 3;
  /// How long it is out at first; twice as long each time that its one call fails again. Plus or minus a fifth.
  std::chrono::milliseconds first_pause{200};
  std::chrono::milliseconds max_pause{10'000};
};

/// What a call has shown of its host.
enum class host_result {
  good,  ///< it has answered, whatever
  failed,  ///< it took too long, or said that it can't; that counts unless it has answered another call meanwhile
  lost,     ///< no connection, or it broke
  unknown,  ///< the caller was cancelled
};

class balancer {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  /// `random` returns numbers from 0 to 1.
  balancer(std::size_t hosts, breaker_options options, std::function<double()> random);

  /// One call, from pick() to ended().
  struct ticket {
    std::size_t host = 0;
    std::uint64_t service = 0;  ///< how often the host had been out of service when the call began
    bool is_probe = false;
    time_point began;
  };
  /// Of hosts with equally few calls, each in turn. A host that is out of service gets one call when its pause is
  /// over. `avoid` is picked only if there is no other. nullopt: all hosts are out of service.
  std::optional<ticket> pick(time_point now, std::optional<std::size_t> avoid = std::nullopt);
  void ended(const ticket& call, host_result shown, time_point now);

  /// The host went out of service after the call began: that it fails there is nothing new.
  bool was_known(const ticket& call) const noexcept;
  bool in_service(std::size_t host) const noexcept { return !hosts_[host].out_until; }
  /// Whether there is one in service apart from this one.
  bool has_another(std::size_t than) const noexcept;
  std::size_t outstanding(std::size_t host) const noexcept { return hosts_[host].outstanding; }

 private:
  struct host_state {
    std::size_t outstanding = 0;
    int failures = 0;  ///< in a row
    std::uint64_t times_out = 0;
    std::optional<time_point> out_until;
    std::chrono::milliseconds pause{0};
    bool probed = false;
    time_point last_good{};
  };
  bool may_get(const host_state& h, time_point now) const noexcept;
  void take_out(host_state& h, time_point now);

  const breaker_options options_;
  const std::function<double()> random_;
  std::vector<host_state> hosts_;
  std::size_t next_ = 0;
};

}  // namespace quarq::rpc
