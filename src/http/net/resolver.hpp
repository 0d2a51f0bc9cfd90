// Host names as addresses. getaddrinfo blocks and can't be interrupted, so that it gets threads of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include <quarq/awaitable.hpp>
#include <quarq/errors.hpp>

namespace quarq::http {

/// The name has no address, or nobody could be asked.
class look_up_error : public error {
 public:
  using error::error;
};

/// Many coroutines that ask for one name at the same time cost one look-up; what it finds is kept for a while,
/// but no failure is. Thread safety: any; for any number of loops.
class resolver {
 public:
  /// Blocks; throws look_up_error.
  using look_up_function = std::function<std::vector<boost::asio::ip::address>(const std::string& host)>;
  static constexpr std::size_t max_threads = 32;
  static constexpr std::chrono::seconds kept_for{10};

  /// That of the process, which asks the system.
  static resolver& of_process();

  explicit resolver(look_up_function ask);
  /// Look-ups that have begun come to their ends nevertheless, on their threads.
  ~resolver();
  resolver(const resolver&) = delete;
  resolver& operator=(const resolver&) = delete;

  /// At least one address, in the order in which the system would try them. A cancelled coroutine leaves at
  /// once. Throws look_up_error.
  awaitable<std::vector<boost::asio::ip::address>> look_up(std::string host);

 private:
  struct waiter;
  struct state;
  std::shared_ptr<state> state_;
};

/// What the system says.
std::vector<boost::asio::ip::address> ask_system(const std::string& host);

}  // namespace quarq::http
