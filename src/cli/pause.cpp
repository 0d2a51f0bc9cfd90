// quarq pause, quarq resume
#include <memory>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/run.hpp>

#include "cli/command.hpp"
#include "cli/output.hpp"

namespace quarq::cli {

namespace {

struct pause_options : common {
  std::vector<std::string> queues;
  bool paused = true;  ///< what they are to be
};

struct pause_answer {
  bool changed = false;
  bool others = false;  ///< programs that do not know of it may serve the queue
};

awaitable<pause_answer> set_paused(queue_ptr queue, bool paused) {
  const auto loop = co_await boost::asio::this_coro::executor;
  const auto broker = queue->on(loop);
  pause_answer answer;
  answer.changed = co_await broker->set_paused(queue->name(), paused);
  const auto those = co_await broker->live_workers_of(queue->name());
  answer.others = those.others;
  co_return answer;
}

std::string in_words(const pause_answer& answer, bool paused) {
  if (!paused) return answer.changed ? "resumed" : "was not paused";
  const auto* what = answer.changed ? "paused" : "was paused already";
  return fmt::format("{}{}", what, answer.others ? ", but not for Python's workers, which may be there" : "");
}

int run_pause(const pause_options& options) {
  // Before the first is paused, all names are checked.
  std::vector<queue_ptr> queues;
  for (const auto& name : options.queues) {
    common one = options;
    one.queue = name;
    queues.push_back(open_queue(one, options.paused ? if_missing::create : if_missing::refuse));
  }
  std::vector<std::string> values;
  for (const auto& queue : queues) {
    const auto answer = run(set_paused(queue, options.paused));
    if (options.json) {
      values.push_back(json_object()
                           .text("queue", queue->name())
                           .boolean("paused", options.paused)
                           .boolean("changed", answer.changed)
                           .str());
    } else {
      print_line(fmt::format("{}: {}", queue->name(), in_words(answer, options.paused)));
    }
  }
  if (options.json) print_line(json_array(values));
  return ok;
}

void add(CLI::App& app, chosen_command& chosen, bool paused, const std::string& name,
         const std::string& description) {
  const auto options = std::make_shared<pause_options>();
  options->paused = paused;
  auto* command = add_command(app, name, description, *options);
  add_values(*command, "QUEUE", options->queues, "the queues; without any, that of --queue");
  command->callback([options, command, name, &chosen] {
    const bool is_named = command->get_option("--queue")->count() > 0;
    if (is_named && !options->queues.empty())
      throw usage_error(fmt::format("{}: expected either the names of queues or --queue", name));
    if (options->queues.empty()) options->queues.push_back(options->queue);
    chosen = [options] { return run_pause(*options); };
  });
}

}  // namespace

void add_pause(CLI::App& app, chosen_command& chosen) {
  add(app, chosen, true, "pause", "Keeps workers from taking jobs of a queue; those that run go on");
}

void add_resume(CLI::App& app, chosen_command& chosen) {
  add(app, chosen, false, "resume", "Lets workers take jobs of a paused queue again");
}

}  // namespace quarq::cli
