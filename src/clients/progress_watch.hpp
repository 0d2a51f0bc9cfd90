// Tells those that wait for jobs how far these are.
#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <quarq/awaitable.hpp>
#include <quarq/detail/job_handle.hpp>

#include "broker/broker.hpp"

namespace quarq::clients {

/// Of one queue, on one loop. Stores keep what jobs say of themselves and tell nobody, as hardly anybody wants to hear
/// it. So this asks for it, with one call for all jobs of which somebody does, and only while there are such.
class progress_watch : public std::enable_shared_from_this<progress_watch> {
 public:
  /// Between two calls, and after the first one wants to hear. It doubles while nothing is new.
  static constexpr std::chrono::milliseconds shortest_pause{250}, longest_pause{1'000};
  /// How many jobs a call asks for. Of more, others have their turn with the next one.
  static constexpr std::size_t max_asked = 100;

  progress_watch(boost::asio::any_io_executor loop, std::shared_ptr<broker::broker> store, std::string queue);

  /// Calls `to` each time the job has said that it is elsewhere, until this is cancelled or `to` throws.
  static awaitable<void> report(std::shared_ptr<progress_watch> self, std::string id,
                                detail::progress_function to);

  /// The loop ends.
  void close() noexcept;

 private:
  class listener;

  void ask_later();
  std::vector<std::string> next_to_ask();
  static awaitable<void> ask(std::shared_ptr<progress_watch> self, std::vector<std::string> ids);
  bool tell(const std::vector<std::string>& ids, const std::vector<std::string>& notes);

  boost::asio::any_io_executor loop_;
  std::shared_ptr<broker::broker> store_;
  const std::string queue_;
  std::multimap<std::string, listener*> listeners_;  ///< by id
  std::string last_asked_;
  bool asking_ = false;
  std::chrono::milliseconds pause_{shortest_pause};
  std::optional<boost::asio::steady_timer> timer_;
};

}  // namespace quarq::clients
