// quarq enqueue
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>
#include <quarq/queue.hpp>
#include <quarq/retention.hpp>
#include <quarq/run.hpp>
#include <quarq/task.hpp>
#include <quarq/time.hpp>

#include "cli/command.hpp"
#include "cli/output.hpp"
#include "codecs/json.hpp"
#include "codecs/utf8.hpp"
#include "model/record.hpp"

namespace quarq::cli {

namespace {

struct enqueue_options : common {
  std::string task;
  std::vector<std::string> arguments;
  bool strings = false;
  detail::call_options call;
  std::string wait;                          ///< as typed: "true" without a time
  std::optional<milliseconds> wait_timeout;  ///< nullopt: forever
};

std::string encode_argument(const std::string& typed, std::size_t number) {
  try {
    return codecs::json_to_msgpack(typed);
  } catch (const decode_error& e) {
    throw usage_error(
        fmt::format("argument {} ({}): {}; a string needs its quotes: '\"text\"', or give --string", number,
                    cut(terminal_safe(typed), 40), e.what()));
  }
}

std::string encode_arguments_of(const enqueue_options& options) {
  std::string arguments;
  encoder out(arguments);
  out.array(options.arguments.size());
  for (std::size_t i = 0; i < options.arguments.size(); ++i) {
    const std::string& typed = options.arguments[i];
    if (!options.strings) {
      out.raw(encode_argument(typed, i + 1));
    } else if (codecs::is_utf8(typed)) {
      out.text(typed);
    } else {
      throw usage_error(fmt::format("argument {}: not UTF-8", i + 1));
    }
  }
  return arguments;
}

detail::call_data make_call(const enqueue_options& options) {
  if (options.task.empty() || !codecs::is_utf8(options.task)) {
    throw usage_error("TASK: expected a name in UTF-8, got \"" + options.task + "\"");
  }
  return {options.task, encode_arguments_of(options), options.call};
}

awaitable<std::string> send(queue_ptr queue, detail::call_data call) {
  std::vector<detail::call_data> calls;
  calls.push_back(std::move(call));
  const auto sent = co_await detail::enqueue(queue, std::move(calls));
  if (!sent.front().accepted) throw duplicate_job(sent.front().id);
  co_return sent.front().id;
}

struct end {
  std::string id;
  job_state state = job_state::succeeded;
  model::outcome outcome;
};

awaitable<std::optional<broker::ended>> wait_for_end(queue_ptr queue, std::string id,
                                                     std::optional<milliseconds> timeout) {
  const auto loop = co_await boost::asio::this_coro::executor;
  auto waiting = queue->wait_ended(loop, id);
  std::optional<broker::ended> ended;
  if (timeout) {
    ended = co_await with_timeout(std::move(waiting), *timeout);
  } else {
    ended = co_await std::move(waiting);
  }
  co_return ended;
}

// A job may end before this process has asked for its end.
constexpr std::chrono::seconds min_retention_to_wait{10};

awaitable<end> send_and_wait(queue_ptr queue, detail::call_data call, std::optional<milliseconds> timeout) {
  auto& keep = call.options.keep_result;
  if (keep) keep = std::max(*keep, retention(min_retention_to_wait));
  const auto id = co_await send(queue, std::move(call));
  std::optional<broker::ended> ended;
  try {
    ended = co_await wait_for_end(queue, id, timeout);
  } catch (const timed_out&) {
    throw timed_out(fmt::format("job {} has not ended within {}", id, rough(*timeout)));
  }
  // It was purged.
  if (!ended) throw job_not_found(id);
  end result;
  result.id = id;
  result.state = ended->state;
  if (!ended->outcome.empty()) result.outcome = model::decode_outcome(ended->outcome);
  co_return result;
}

int report(const enqueue_options& options, const end& e) {
  const auto& o = e.outcome;
  const bool good = e.state == job_state::succeeded;
  const std::string result = o.result.empty() ? "null" : codecs::to_json(o.result);
  if (options.json) {
    print_line(json_object()
                   .text("id", e.id)
                   .text("state", to_string(e.state))
                   .json("result", good ? result : "")
                   .text_or_null("error_type", o.error_type)
                   .text_or_null("error", o.error)
                   .number("attempts", o.attempts)
                   .str());
  } else if (good) {
    print_line(result);
  }
  if (!good) {
    const std::string type = o.error_type.empty() ? "" : o.error_type + ": ";
    complain(fmt::format("job {} ended as {}: {}{}", e.id, to_string(e.state), type, o.error));
  }
  return good ? ok : failed;
}

int run_enqueue(const enqueue_options& options) {
  const auto queue = open_queue(options, if_missing::create);
  auto call = make_call(options);
  queue->tell_by([](const std::string& line) { complain(line); });
  if (!options.wait.empty())
    return report(options, run(send_and_wait(queue, std::move(call), options.wait_timeout)));
  const auto id = run(send(queue, std::move(call)));
  print_line(options.json ? json_object().text("id", id).str() : id);
  return ok;
}

using options_ptr = std::shared_ptr<enqueue_options>;

template <class Member, class Parse>
void add(CLI::App& command, const std::string& name, const std::string& shown, const std::string& description,
         options_ptr options, Member detail::call_options::* member, Parse parse) {
  command
      .add_option_function<std::string>(
          name, [=](const std::string& text) { options->call.*member = parse(name, text); }, description)
      ->option_text(shown);
}

retention parse_keep(std::string_view option, std::string_view text) {
  if (text == "forever") return forever;
  return parse_duration(option, text);
}

void add_header(enqueue_options& options, const std::string& typed) {
  const auto equals = typed.find('=');
  if (equals == typed.npos)
    throw usage_error(fmt::format("--header: expected NAME=VALUE, got \"{}\"", terminal_safe(typed)));
  options.call.labels.set_header(typed.substr(0, equals), typed.substr(equals + 1));
}

void add_labels(CLI::App& command, options_ptr options) {
  command
      .add_option_function<std::vector<std::string>>(
          "--header",
          [options](const std::vector<std::string>& all) {
            for (const auto& one : all) add_header(*options, one);
          },
          "a header that goes with the job; may be given several times")
      ->option_text("NAME=VALUE")
      ->allow_extra_args(false);
  command
      .add_option_function<std::vector<std::string>>(
          "--tag",
          [options](const std::vector<std::string>& all) {
            for (const auto& one : all) options->call.labels.add_tag(one);
          },
          "a word by which the job can be found; may be given several times")
      ->option_text("TAG")
      ->allow_extra_args(false);
  command
      .add_option_function<std::string>(
          "--call-version",
          [options](const std::string& text) {
            options->call.labels.set_version(parse_number("--call-version", text, 1, 2'147'483'647));
          },
          "the version of the arguments' form")
      ->option_text("N");
}

void add_call_options(CLI::App& command, options_ptr options) {
  using o = detail::call_options;
  const auto same = [](const std::string&, const std::string& text) { return text; };
  const auto priority = [](const std::string& name, const std::string& text) {
    return parse_number(name, text, 0, 9);
  };
  const auto attempts = [](const std::string& name, const std::string& text) {
    return parse_number(name, text, 1, 1'000'000);
  };
  add(command, "--id", "ID", "the job's id; refused if it is taken (default: a new one)", options, &o::id,
      same);
  add(command, "--delay", "TIME", "not before this long from now", options, &o::delay, parse_duration);
  add(command, "--at", "WHEN", "not before this time, like 2030-01-31T08:30:00Z", options, &o::at,
      parse_time);
  add(command, "--expires", "TIME", "expires if no worker starts it this long after it became due", options,
      &o::expires, parse_duration);
  add(command, "--priority", "N", "0 to 9, the highest first (default: 5)", options, &o::priority, priority);
  add(command, "--timeout", "TIME", "how long one attempt may take", options, &o::timeout, parse_duration);
  add(command, "--attempts", "N", "how often it may be started", options, &o::attempts, attempts);
  add(command, "--keep", "TIME", "how long its result is kept, or forever", options, &o::keep_result,
      parse_keep);
  command.get_option("--at")->excludes("--delay");
  add_labels(command, options);
}

}  // namespace

void add_enqueue(CLI::App& app, chosen_command& chosen) {
  const auto options = std::make_shared<enqueue_options>();
  auto* command = add_command(app, "enqueue", "Sends a job and prints its id", *options);
  command->add_option("TASK", options->task, "the task's name")->required();
  add_values(*command, "JSON", options->arguments,
             "its arguments, each as JSON: 3, true, '\"text\"', '[1, 2]'");
  command->add_flag("-s,--string", options->strings, "the arguments are strings, not JSON");
  add_call_options(*command, options);
  command
      ->add_flag("--wait", options->wait,
                 "waits for its end, at most for this long, and prints its result as JSON instead of its id")
      ->option_text("[=TIME]");
  command->footer("TIME is like 10s, 5min, 1h30min, 250ms or 2d; a number alone is seconds.\n");
  command->callback([options, &chosen] {
    if (!options->wait.empty() && options->wait != "true")
      options->wait_timeout = parse_duration("--wait", options->wait);
    chosen = [options] { return run_enqueue(*options); };
  });
}

}  // namespace quarq::cli
