// Tells a program that waits for a result when nobody is there to make it.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/linked_list.hpp"
#include "broker/broker.hpp"

namespace quarq::clients {

/// Of one queue, on one loop. A wait that lasts for two seconds is looked at once: if its job waits for a
/// worker and there is none that handles it, the program is told so, once a minute for each task.
class wait_watch : public std::enable_shared_from_this<wait_watch> {
 public:
  using teller = std::function<void(const std::string& line)>;
  static constexpr std::chrono::seconds notice_delay{2};
  static constexpr std::chrono::minutes between_notices{1};

  wait_watch(boost::asio::any_io_executor loop, std::shared_ptr<broker::broker> store, std::string queue,
             teller tell);

  /// A wait under way; it stands in the frame of the coroutine that waits.
  class wait : public base::linked<wait> {
   public:
    wait(std::shared_ptr<wait_watch> by, std::string id);
    wait(const wait&) = delete;
    wait& operator=(const wait&) = delete;
    ~wait();

   private:
    friend class wait_watch;
    std::shared_ptr<wait_watch> by_;
    std::string id_;
    std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
    bool is_listed_ = true;  ///< it has not been looked at
  };

  /// The loop ends.
  void close() noexcept;

 private:
  void arm(std::chrono::steady_clock::time_point at);
  void look_at_those_due();
  static awaitable<void> look(std::shared_ptr<wait_watch> self, std::vector<std::string> ids);
  awaitable<void> look_at(const broker::live_workers& those, std::string id);
  bool may_tell(const std::string& task);

  boost::asio::any_io_executor loop_;
  std::shared_ptr<broker::broker> store_;
  const std::string queue_;
  const teller tell_;
  base::linked_list<wait> waits_;  ///< the oldest first
  std::optional<boost::asio::steady_timer> timer_;
  std::map<std::string, std::chrono::steady_clock::time_point> noticed_at_;  ///< by task
};

}  // namespace quarq::clients
