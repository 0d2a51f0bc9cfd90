// What a quarq::context is made of.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <typeindex>
#include <typeinfo>
#include <utility>
#include <vector>

#include <quarq/detail/bad_payload.hpp>
#include <quarq/detail/call_labels.hpp>
#include <quarq/detail/traceparent.hpp>

namespace quarq::detail {

/// Objects by their type. A handful at most, so a list.
class state_map {
 public:
  void put(std::type_index type, std::shared_ptr<void> object);
  /// Null if there is none.
  void* find(std::type_index type) const noexcept;

 private:
  std::vector<std::pair<std::type_index, std::shared_ptr<void>>> objects_;
};

[[noreturn]] void throw_no_state(const std::type_info& type);

/// The facts of one running job.
struct job_facts {
  std::string id;
  std::string task;
  std::string queue;
  int attempts = 0;
  std::chrono::sys_time<std::chrono::milliseconds> enqueued_at{};
  std::chrono::sys_time<std::chrono::milliseconds> due_at{};
  int losses = 0;
  /// When nobody waits for its result any more. Of an awaited call only.
  std::optional<std::chrono::steady_clock::time_point> deadline = std::nullopt;
  /// What it enqueues and calls has this deadline, too.
  bool passes_deadline = true;
  detail::traceparent trace = {};  ///< of the attempt, if that is recorded, or of what has made the job
  std::shared_ptr<const labels> its_labels = {};  ///< null: none
};

}  // namespace quarq::detail
