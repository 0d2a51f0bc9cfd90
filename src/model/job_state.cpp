#include <array>

#include <quarq/job_state.hpp>

namespace quarq {
namespace {

constexpr std::array<std::string_view, 8> state_words = {"queued", "deferred",  "running", "succeeded",
                                                         "failed", "cancelled", "expired", "dead"};
}

std::string_view to_string(job_state state) noexcept {
  return state_words[static_cast<std::size_t>(state)];
}

std::optional<job_state> job_state_from(std::string_view word) noexcept {
  for (std::size_t i = 0; i < state_words.size(); ++i) {
    if (state_words[i] == word) return static_cast<job_state>(i);
  }
  return std::nullopt;
}

}  // namespace quarq
