// The connections of one client on one loop.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <quarq/awaitable.hpp>
#include <quarq/detail/wait_queue.hpp>

#include "async/loop_lifetime.hpp"
#include "http/client/answer_reader.hpp"
#include "http/client/pool_book.hpp"
#include "http/net/loop_deadlines.hpp"
#include "http/net/stream.hpp"

namespace quarq::http {

class pooled_connection final : private has_deadline {
 public:
  pooled_connection(std::unique_ptr<stream> connected, std::shared_ptr<loop_deadlines> deadlines);
  ~pooled_connection() override;
  pooled_connection(const pooled_connection&) = delete;
  pooled_connection& operator=(const pooled_connection&) = delete;

  /// Closes the connection then, whoever waits for it; deadline_passed() says so. nullopt: none.
  void set_deadline(std::optional<time_point> when);
  bool deadline_passed() const noexcept { return deadline_passed_; }

  std::unique_ptr<stream> io;
  answer_reader answer;  ///< kept for its memory
  std::string address;
  bool served = false;  ///< it has carried a request before

 private:
  void on_deadline() override;

  std::shared_ptr<loop_deadlines> deadlines_;
  std::optional<time_point> deadline_;
  bool deadline_passed_ = false;
};

/// How many connections all loops have together. Thread safety: any.
struct connection_counts {
  std::atomic<std::size_t> in_use{0};
  std::atomic<std::size_t> idle{0};
};

/// Must be held by a shared_ptr. Belongs to its loop; may be held for longer than the loop exists.
class connection_pool final : public async::loop_guest, public std::enable_shared_from_this<connection_pool> {
 public:
  using time_point = pool_book::time_point;

  connection_pool(const boost::asio::any_io_executor& loop, pool_limits limits,
                  std::shared_ptr<connection_counts> counts);
  ~connection_pool() override;

  /// The right to one connection to a host: an idle one, or room for a new one. It ends with this object, which
  /// closes the connection unless it was given back.
  class lease {
   public:
    lease() = default;
    lease(std::shared_ptr<connection_pool> pool, std::string host, std::unique_ptr<pooled_connection> reused);
    lease(lease&&) noexcept = default;
    lease& operator=(lease&& other) noexcept;
    ~lease() { drop(); }

    /// Null until set() if there was no idle one.
    pooled_connection* get() const noexcept { return connection_.get(); }
    void set(std::unique_ptr<pooled_connection> opened) { connection_ = std::move(opened); }
    /// The connection may be used again for so long.
    void give_back(std::chrono::milliseconds kept);
    /// Closes it.
    void drop() noexcept;
    explicit operator bool() const noexcept { return pool_ != nullptr; }

   private:
    std::shared_ptr<connection_pool> pool_;
    std::string host_;
    std::unique_ptr<pooled_connection> connection_;
  };

  /// Waits until the limits allow it; first come, first served. Idle connections that the peer has closed are not
  /// given out, nor are those on which something came unasked.
  static awaitable<lease> acquire(std::shared_ptr<connection_pool> pool, std::string host);
  /// The same for an idle connection, without waiting. An empty lease: there is none, or others come first.
  static lease try_reuse(std::shared_ptr<connection_pool> pool, std::string host, time_point now);

  /// Closes all idle connections.
  void close_idle();

  bool loop_is_gone() const noexcept { return loop_is_gone_; }
  void loop_destroyed() noexcept override;

 private:
  using connection_id = pool_book::connection_id;
  quarq::detail::wait_queue& queue_of(const std::string& host);
  void forget_queue(const std::string& host);
  bool others_come_first(const std::string& host) const;
  std::size_t unclaimed_room() const noexcept;
  static std::uint64_t ticket_of(const quarq::detail::wait_queue& queue) noexcept;
  std::optional<lease> try_acquire(const std::string& host);
  std::unique_ptr<pooled_connection> take_idle(connection_id id) noexcept;
  void give_back(const std::string& host, std::unique_ptr<pooled_connection> one,
                 std::chrono::milliseconds kept);
  void gone(const std::string& host) noexcept;
  void wake_waiting();
  void close_expired();
  void watch_expiry();
  void update_counts() noexcept;
  void count_none() noexcept;

  pool_book book_;
  // By their ids, which are numbers of places; those of connections that are not idle are free.
  std::vector<std::unique_ptr<pooled_connection>> idle_;
  std::vector<connection_id> free_ids_;
  // Of each host; they wait with the number of their ticket.
  std::map<std::string, std::unique_ptr<quarq::detail::wait_queue>> waiting_;
  std::uint64_t last_ticket_ = 0;
  std::optional<boost::asio::steady_timer> timer_;
  bool timer_runs_ = false;
  std::atomic<bool> loop_is_gone_{false};
  std::shared_ptr<connection_counts> counts_;
  std::size_t counted_in_use_ = 0;
  std::size_t counted_idle_ = 0;
};

}  // namespace quarq::http
