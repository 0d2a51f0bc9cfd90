#include "rpc/notes_in_log.hpp"

#include <string>
#include <string_view>

#include <fmt/format.h>

#include <quarq/context.hpp>
#include <quarq/detail/context_access.hpp>

#include "base/log.hpp"
#include "codecs/hex.hpp"
#include "codecs/utf8.hpp"
#include "model/job_notes.hpp"

namespace quarq::rpc {

namespace {

// "count_words id=01..., trace_id=4bf9...".
std::string call_in_words(const context& call) {
  const auto& trace = model::context_access::facts(call).trace;
  const bool has_trace = trace.is_set();
  return fmt::format("{} id={}{}{}", call.task(), call.id(), has_trace ? " trace_id=" : "",
                     has_trace ? codecs::to_hex(trace.trace_id) : "");
}

class log_sink final : public quarq::detail::notes_sink {
 public:
  void log(const context& by, std::string_view text) override {
    if (!base::log().should_log(spdlog::level::info)) return;
    const auto call = call_in_words(by);
    model::for_each_log_line(text, [&](std::string_view line) {
      base::log().info("rpc: {}: {}", call, codecs::printable(line, model::max_log_line));
    });
  }

  void progress(const context& by, std::uint64_t done, std::uint64_t total) override {
    if (!base::log().should_log(spdlog::level::debug)) return;
    base::log().debug("rpc: {}: {}{}", call_in_words(by), done,
                      total == 0 ? "" : fmt::format(" of {}", total));
  }
};

}  // namespace

quarq::detail::notes_sink& notes_in_log() noexcept {
  static log_sink only;
  return only;
}

}  // namespace quarq::rpc
