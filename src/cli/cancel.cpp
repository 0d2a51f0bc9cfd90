// quarq cancel
#include "clients/cancel.hpp"

#include <memory>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/run.hpp>

#include "cli/command.hpp"
#include "cli/other_queues.hpp"
#include "cli/output.hpp"

namespace quarq::cli {

namespace {

using broker::cancel_result;

struct cancel_options : common {
  std::vector<std::string> ids;
};

struct answer {
  cancel_result result = cancel_result::not_found;
  std::vector<std::string> elsewhere;  ///< queues that have a job of this id, if the right one has none
};

awaitable<std::vector<answer>> cancel_all(queue_ptr queue, std::vector<std::string> ids) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto broker = queue->on(loop);
  std::vector<answer> answers;
  for (const auto& id : ids) {
    auto& one = answers.emplace_back();
    one.result = co_await clients::cancel(broker, queue->name(), id);
    if (one.result != cancel_result::not_found) continue;
    one.elsewhere = co_await other_queues_with(broker, queue->name(), id);
  }
  co_return answers;
}

struct wording {
  std::string_view text, json;
};

wording wording_of(cancel_result result) {
  switch (result) {
    case cancel_result::cancelled:
      return {"cancelled", "cancelled"};
    case cancel_result::requested:
      return {"requested: it is running, and its worker has been told to stop it", "requested"};
    case cancel_result::ended:
      return {"too late: it has ended", "too_late"};
    case cancel_result::not_found:
      break;
  }
  return {"not found", "not_found"};
}

int run_cancel(const cancel_options& options) {
  const auto queue = open_queue(options);
  const auto answers = run(cancel_all(queue, options.ids));
  std::vector<std::string> values;
  int code = ok;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto [text, json] = wording_of(answers[i].result);
    const auto& others = answers[i].elsewhere;
    if (answers[i].result == cancel_result::not_found) code = failed;
    if (options.json) {
      values.push_back(json_object().text("id", options.ids[i]).text("outcome", json).str());
    } else {
      const auto hint =
          others.empty() ? "" : fmt::format(" in queue {}, but in {}", queue->name(), named(others));
      print_line(fmt::format("{}: {}{}", options.ids[i], text, hint));
    }
  }
  if (options.json) print_line(json_array(values));
  return code;
}

}  // namespace

void add_cancel(CLI::App& app, chosen_command& chosen) {
  const auto options = std::make_shared<cancel_options>();
  auto* command = add_command(app, "cancel", "Cancels jobs: queued, deferred or running", *options);
  add_values(*command, "ID", options->ids, "the jobs' ids")->required();
  command->callback([options, &chosen] { chosen = [options] { return run_cancel(*options); }; });
}

}  // namespace quarq::cli
