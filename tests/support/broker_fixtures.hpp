// Where brokers can keep jobs, for tests that every broker must pass.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>

#include "broker/broker.hpp"

namespace quarq::test {

/// What not every broker can do. Tests look that the others say so.
struct broker_powers {
  bool priorities = true;           ///< others than 5
  bool an_id_in_each_queue = true;  ///< else an id is one job's, whatever its queue
  bool any_bytes = true;            ///< records and outcomes need not be quarq's
};

/// A place of one test's own: empty at first, gone with the object. Brokers opened on it must be gone by
/// then.
class broker_fixture {
 public:
  virtual ~broker_fixture() = default;
  broker_fixture() = default;
  broker_fixture(const broker_fixture&) = delete;
  broker_fixture& operator=(const broker_fixture&) = delete;

  /// What a user would write.
  virtual std::string url() const = 0;

  virtual broker_powers powers() const { return {}; }

  /// A broker with all that brokers of one process share.
  std::shared_ptr<broker::broker> open(boost::asio::any_io_executor loop) const {
    return broker::open(url(), std::move(loop));
  }

  /// A broker that shares no memory with the others, as if it were in a process of its own; where a place
  /// lives in this process alone, one like the others.
  virtual std::shared_ptr<broker::broker> open_apart(boost::asio::any_io_executor loop) const {
    return open(std::move(loop));
  }

  /// Kills what serves the place without warning, and starts it again with what it had written. False:
  /// nothing serves it.
  virtual bool kill_and_restart() { return false; }
};

struct broker_kind {
  std::string name;  ///< for the names of tests: letters, digits and _
  std::function<std::unique_ptr<broker_fixture>()> make;
};
inline void PrintTo(const broker_kind& kind, std::ostream* out) {
  *out << kind.name;
}

/// Every broker, at every durability that differs.
const std::vector<broker_kind>& broker_kinds();

}  // namespace quarq::test
