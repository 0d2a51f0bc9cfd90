#include "interop/arq_lab.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <mutex>

#include "base/log.hpp"
#include "interop/python_server.hpp"

namespace quarq::test {

struct quarq_worker::notes {
  mutable std::mutex mutex;
  std::vector<int> all;
};

namespace {

constexpr const char* python_3 = "/usr/bin/python3";  // which has Debian's packages

std::string folder() {
  return QUARQ_TEST_SOURCE_DIR "/interop";
}

}  // namespace

std::string name_of(const testing::TestParamInfo<python_side>& side) {
  auto name = side.param.codec + (side.param.arq.empty() ? "" : "_arq_" + side.param.arq);
  std::ranges::replace(name, '.', '_');
  return name;
}

quarq_worker::quarq_worker(worker_options options)
    : notes_(std::make_shared<notes>()), worker_(std::move(options)) {
  const handler_options once{.retry = backoff::none()};
  worker_.handle(add, [](int left, int right) -> awaitable<int> { co_return left + right; });
  worker_.handle(
      fail, [](std::string message) -> awaitable<int> { throw std::invalid_argument(message); }, once);
  worker_.handle(nap_at_first, [] { return "slept"; });
  worker_.handle(nap, [](double seconds) -> awaitable<std::string> {
    co_await sleep_for(std::chrono::milliseconds(static_cast<int>(seconds * 1000)));
    co_return "slept";
  });
  const auto write_down = [into = notes_](int n) {
    const std::lock_guard lock(into->mutex);
    into->all.push_back(n);
  };
  worker_.handle(note, write_down, {.on = level::loop});
  worker_.handle(try_again, [](context& ctx, int attempts, double defer) -> awaitable<int> {
    const auto delay = std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(defer));
    if (ctx.attempt() < attempts) throw retry_after(delay);
    co_return ctx.attempt();
  });
}

quarq_worker::~quarq_worker() {
  stop();
}

void quarq_worker::start() {
  thread_ = std::thread([this] {
    try {
      run_on_loop(worker_.run(), 2 * test_timeout);
    } catch (const std::exception& e) {
      ADD_FAILURE() << "the worker ended: " << e.what();
    }
  });
}

void quarq_worker::stop() {
  if (!thread_.joinable()) return;
  worker_.stop();
  thread_.join();
}

std::vector<int> quarq_worker::noted() const {
  const std::lock_guard lock(notes_->mutex);
  return notes_->all;
}

arq_lab::arq_lab() {
  base::set_log_level("off");
}

void arq_lab::SetUp() {
  if (std::filesystem::exists(interpreter()) && clients().is_ready()) return;
  const auto missing = GetParam().arq.empty() ? "python3-redis or python3-msgpack is not installed"
                                              : "arq (" + GetParam().arq + ") is not in build/arq";
  if (std::getenv("CI") != nullptr) FAIL() << missing;
  GTEST_SKIP() << missing;
}

std::string arq_lab::interpreter() const {
  return GetParam().arq.empty() ? python_3 : folder() + "/../../build/arq/" + GetParam().arq + "/bin/python";
}

std::string arq_lab::script(const char* of) const {
  return std::string(GetParam().arq.empty() ? "arq_" : "real_") + of;
}

std::string arq_lab::url() const {
  return "arq://127.0.0.1:" + std::to_string(server_.port()) + "/0?codec=" + GetParam().codec;
}

worker_options arq_lab::options() const {
  worker_options o;
  o.broker = url();
  o.threads = 1;
  o.cancel_timeout = 300ms;
  o.shutdown_timeout = 300ms;
  return o;
}

// A process of tests has one parameter, as a rule.
const python_server& arq_lab::clients() const {
  static std::map<std::string, python_server> all;
  return all.try_emplace(interpreter(), interpreter(), script("client")).first->second;
}

std::string arq_lab::python(const std::string& program) const {
  const std::string client =
      "c = Client(" + std::to_string(server_.port()) + ", '" + GetParam().codec + "')\n";
  const auto result = clients().run(client + program);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return result.out;
}

std::unique_ptr<process> arq_lab::python_worker(std::vector<std::string> words) const {
  std::vector<std::string> all = {interpreter(), folder() + "/" + script("worker") + ".py",
                                  "--port",      std::to_string(server_.port()),
                                  "--codec",     GetParam().codec};
  all.insert(all.end(), words.begin(), words.end());
  auto worker = std::make_unique<process>(
      std::move(all), std::map<std::string, std::string>{{"PYTHONDONTWRITEBYTECODE", "1"}});
  EXPECT_TRUE(worker->logs("Starting worker", default_timeout)) << worker->log();
  return worker;
}

std::string arq_lab::raised(const std::string& type, const std::string& message) const {
  if (is_pickle()) return "raised " + type + "('" + message + "')\n";
  return "raised SerializationError('" + type + (message.empty() ? "" : ": ") + message + "')\n";
}

std::int64_t arq_lab::number(const std::vector<std::string>& command) const {
  return server_.command(command).integer;
}

std::string arq_lab::word(const std::vector<std::string>& command) const {
  return server_.command(command).text;
}

std::vector<std::string> arq_lab::words(const std::vector<std::string>& command) const {
  std::vector<std::string> all;
  for (const auto& reply : server_.command(command).items) all.push_back(reply.text);
  return all;
}

std::vector<std::string> arq_lab::all_keys() const {
  auto keys = words({"KEYS", "*"});
  std::ranges::sort(keys);
  return keys;
}

}  // namespace quarq::test
