// Which connection a request gets: the decisions of a connection pool, without connections and without a clock.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace quarq::http {

struct pool_limits {
  std::size_t total = 100;
  std::size_t per_host = 16;
  std::chrono::milliseconds idle{15'000};
};

/// Counts the connections of each host, and knows the idle ones. A host is whatever a connection can be used for
/// again: scheme, name and port, and the proxy.
class pool_book {
 public:
  using time_point = std::chrono::steady_clock::time_point;
  using connection_id = std::uint64_t;

  explicit pool_book(pool_limits limits) : limits_(limits) {}

  enum class grant {
    reuse,      ///< `connection`, which is in use now
    open,       ///< a new one, which counts as in use now; `evict` must be closed before
    host_full,  ///< wait until one of this host is given back
    all_full,   ///< wait until any is given back
  };
  struct decision {
    grant what;
    connection_id connection = 0;
    std::optional<connection_id> evict;
  };
  decision ask(const std::string& host, time_point now);
  /// An idle one of this host, which is in use then. The one that was used last comes first: so those that are not
  /// needed grow old.
  std::optional<connection_id> take_idle(const std::string& host, time_point now);

  /// One that is in use becomes idle. It is not used again from `until` on.
  void give_back(const std::string& host, connection_id connection, time_point until);
  /// One that is in use is gone, or could not be opened.
  void gone(const std::string& host);
  /// Forgets the idle ones that have become too old, and returns them: they must be closed.
  std::vector<connection_id> take_expired(time_point now);
  /// When the next one becomes too old; the end of time if none is idle.
  time_point next_expiry() const;

  /// How many requests to this host, or to any, could get a connection now.
  std::size_t room(const std::string& host) const;
  std::size_t room() const noexcept { return limits_.total - in_use_; }

  std::size_t in_use() const noexcept { return in_use_; }
  std::size_t idle() const noexcept { return idle_; }

 private:
  struct idle_connection {
    connection_id id;
    std::uint64_t turn;  // when it was given back, in the order of all
    time_point until;
  };
  struct host_state {
    std::size_t in_use = 0;
    std::vector<idle_connection> idle;  // the one that was used last is the last
  };
  std::optional<connection_id> make_room(const std::string& host);
  void forget_if_unused(const std::string& host);

  pool_limits limits_;
  std::map<std::string, host_state> hosts_;
  std::size_t in_use_ = 0;
  std::size_t idle_ = 0;
  std::uint64_t turn_ = 0;
  time_point first_expiry_ = time_point::max();  // of all that are idle, or earlier
};

}  // namespace quarq::http
