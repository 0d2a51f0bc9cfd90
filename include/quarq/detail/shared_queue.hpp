// What a joinable_queue does, on items that are encoded already.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include <quarq/codec.hpp>

namespace quarq {

namespace processes {
class shared_ring;
}

struct joinable_queue_options;

namespace detail {

/// See joinable_queue.
class shared_queue {
 public:
  using time_point = std::chrono::steady_clock::time_point;

  explicit shared_queue(const joinable_queue_options& options);
  explicit shared_queue(std::shared_ptr<processes::shared_ring> ring) noexcept : ring_(std::move(ring)) {}

  void push(std::string_view item, std::stop_token stop) const;
  bool push_until(std::string_view item, time_point until) const;
  bool try_push(std::string_view item) const;
  bool pop(std::string& into, std::stop_token stop) const;
  bool pop_until(std::string& into, time_point until) const;
  bool try_pop(std::string& into) const;
  void task_done() const;
  bool join(std::stop_token stop) const;
  bool join_until(time_point until) const;
  void close() const;
  bool is_closed() const noexcept;
  std::size_t size() const noexcept;
  std::uint64_t unfinished() const noexcept;
  std::size_t capacity() const noexcept;

  void encode(encoder& out) const;
  static shared_queue decode(decoder& in);

 private:
  std::shared_ptr<processes::shared_ring> ring_;
};

}  // namespace detail
}  // namespace quarq
