// quarq cancel
#include "clients/cancel.hpp"

#include <memory>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/run.hpp>

#include "cli/command.hpp"
#include "cli/output.hpp"

namespace quarq::cli {

namespace {

using broker::cancel_result;

struct cancel_options : common {
  std::vector<std::string> ids;
};

awaitable<std::vector<cancel_result>> cancel_all(queue_ptr queue, std::vector<std::string> ids) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto broker = queue->on(loop);
  std::vector<cancel_result> results;
  for (const auto& id : ids) {
    const auto result = co_await clients::cancel(broker, queue->name(), id);
    results.push_back(result);
  }
  co_return results;
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
  const auto results = run(cancel_all(queue, options.ids));
  std::vector<std::string> values;
  int code = ok;
  for (std::size_t i = 0; i < results.size(); ++i) {
    const auto [text, json] = wording_of(results[i]);
    if (results[i] == cancel_result::not_found) code = failed;
    if (options.json) {
      values.push_back(json_object().text("id", options.ids[i]).text("outcome", json).str());
    } else {
      print_line(fmt::format("{}: {}", options.ids[i], text));
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
