// A call without its type: what queues, machines and brokers pass on.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include <quarq/detail/call_labels.hpp>
#include <quarq/retention.hpp>
#include <quarq/retry.hpp>

namespace quarq {

template <class R>
class call;

namespace detail {

/// What a call sets for its own job. Empty: the task's handler decides.
struct call_options {
  std::optional<std::string> id;
  std::chrono::milliseconds delay{0};
  std::optional<std::chrono::system_clock::time_point> at;
  std::optional<std::chrono::milliseconds> expires;
  std::optional<int> priority;
  std::optional<std::chrono::milliseconds> timeout;
  std::optional<int> attempts;
  std::optional<retry_policy> backoff;
  std::optional<retention> keep_result;
  /// The caller awaits the answer: see model::record.
  bool awaited = false;
  bool id_is_fresh = false;  ///< `id` was made here, and nobody else has it
  call_labels labels;
};

struct call_data {
  std::string task;
  std::string arguments;  ///< a msgpack array
  call_options options;
  std::string keywords = {};  ///< a msgpack map of arguments by their names; empty: none
};

/// Takes a call apart without copying it.
struct call_access {
  template <class R>
  static call_data take(call<R>&& c) noexcept {
    return std::move(c.data_);
  }
  template <class R>
  static call_options& options(call<R>& c) noexcept {
    return c.data_.options;
  }
};

}  // namespace detail
}  // namespace quarq
