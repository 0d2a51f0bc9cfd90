// The demo: a job goes from a client to a worker and back, and survives the death of its worker.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <random>
#include <sstream>

#include <signal.h>
#include <sys/wait.h>

#include <quarq/queue.hpp>
#include <quarq/run.hpp>
#include <quarq/worker.hpp>

#include "demo_console.hpp"

using namespace std::chrono_literals;

namespace {

constexpr std::string_view usage =
    "quarq-demo [--broker URL]: shows a job going from a client to a worker and back, in under a minute.\n"
    "Without --broker on a file of its own; with redis://127.0.0.1:6379 on that Redis, in a queue of its "
    "own.\n";

struct arguments {
  std::string broker;  // empty: a file of our own
  bool help = false;
};

arguments read_arguments(int argc, char** argv) {
  arguments a;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--help" || word == "-h") {
      a.help = true;
    } else if (word == "--broker" && i + 1 < argc) {
      a.broker = argv[++i];
    } else if (word.starts_with("--broker=")) {
      a.broker = word.substr(9);
    } else {
      throw quarq::usage_error("unexpected argument " + word + ": see --help");
    }
  }
  return a;
}

struct temporary_folder {
  std::string path = (std::filesystem::temp_directory_path() / "quarq-demo-XXXXXX").string();
  temporary_folder() {
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("can't make a folder " + path);
  }
  ~temporary_folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

// Where the jobs live. On a broker that others use too, a name that nobody else has.
struct place {
  std::string broker, queue;
};

std::string fresh_name() {
  std::ostringstream name;
  name << "demo-" << std::hex << std::random_device{}();
  return name.str();
}

// Asks for a job that nobody has, only to see whether the broker answers.
quarq::awaitable<void> reach(place where) {
  quarq::queue queue(where.broker, where.queue);
  try {
    co_await queue.find<int>("nobody").state();
  } catch (const quarq::job_not_found&) {
  }
}

void must(bool holds, const std::string& otherwise) {
  if (!holds) throw std::runtime_error(otherwise);
}

bool succeeded(int status) {
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

class demo {
 public:
  explicit demo(place where) : where_(std::move(where)) {}

  void play() {
    open_web();
    auto& first = start_worker("worker 1");
    count_the_pages();
    auto& client = ask_for_the_slow_page();
    kill_in_mid_job(first);
    auto& second = start_worker("worker 2");
    see_it_finished(client, second);
    close(second);
    epilogue();
  }

 private:
  void open_web() {
    console_.headline("1. A web server with four pages of text");
    web_ = &console_.start("web     ", "quarq-demo-web", {});
    while (pages_.size() < 4) {
      const auto line = console_.expect(*web_, " bytes", 10s);
      pages_.push_back(line.substr(0, line.find(' ')));
    }
  }

  child& start_worker(const std::string& label) {
    const bool another = label != "worker 1";
    console_.headline(another ? "5. A second worker" : "2. A worker, on " + where_.broker);
    auto& worker =
        console_.start(label, "quarq-demo-worker", {"--broker", where_.broker, "--queue", where_.queue});
    console_.expect(worker, "serves", 20s);
    console_.say((another ? "Worker 2" : "Worker 1") + (" is process " + std::to_string(worker.pid())) +
                 ", and waits for jobs.");
    return worker;
  }

  void count_the_pages() {
    console_.headline("3. A client, in a process of its own, has the words of each page counted");
    std::vector<std::string> words{where_.broker, where_.queue};
    words.insert(words.end(), pages_.begin(), pages_.end());
    auto& client = console_.start("client  ", "quarq-demo-client", words);
    must(succeeded(console_.wait(client, 30s)), "the client failed");
    console_.say("Each result is an int again, typed from end to end.");
  }

  child& ask_for_the_slow_page() {
    console_.headline("4. Another client; and kill -9 for the worker, in mid-job");
    std::string slow = pages_.back();
    slow.insert(slow.rfind('/'), "/slow");
    auto& client = console_.start("client  ", "quarq-demo-client", {where_.broker, where_.queue, slow});
    console_.expect(*web_, "holding the rest", 30s);
    return client;
  }

  // The worker has half of the page, and the web server holds the rest: it can't have finished.
  void kill_in_mid_job(child& worker) {
    console_.say("Worker 1 has half of the page and waits for the rest: kill -9 " +
                 std::to_string(worker.pid()) + ".");
    worker.signal(SIGKILL);
    killed_at_ = std::chrono::steady_clock::now();
    const int status = console_.wait(worker, 10s);
    must(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "the worker did not die of SIGKILL");
    console_.say("It is dead, and could tell nobody what it held.");
    console_.expect(*web_, " is gone", 10s);
    web_->tell("go on");
  }

  void see_it_finished(child& client, const child& second) {
    const auto lease = std::chrono::floor<std::chrono::seconds>(quarq::worker_options().lease);
    console_.say("A worker that has not been heard of for " + std::to_string(lease.count()) +
                 " s has lost its jobs; until then the job stays with worker 1:");
    const auto line = console_.expect(client, " words (", 45s);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - killed_at_;
    must(succeeded(console_.wait(client, 10s)), "the client failed");
    const std::string pid = ":" + std::to_string(second.pid()) + ")";
    must(line.ends_with(pid), "this was not worker 2: " + line);
    std::ostringstream seconds;
    seconds.precision(1);
    seconds << std::fixed << took.count();
    console_.say("The job finished in worker 2, " + seconds.str() +
                 " s after the kill. What was lost with worker 1 does not count as a try.");
  }

  void close(child& worker) {
    console_.headline("6. The end: SIGTERM, so that the worker may finish what it has begun");
    worker.signal(SIGTERM);
    must(succeeded(console_.wait(worker, 40s)), "the worker did not end as it should");
  }

  void epilogue() {
    const auto took = std::chrono::round<std::chrono::seconds>(std::chrono::steady_clock::now() - began_);
    console_.headline("All five jobs were answered, one of them in spite of kill -9. It took " +
                      std::to_string(took.count()) + " s.");
    if (where_.broker.starts_with("sqlite:")) {
      console_.say("The same on Redis: ./dev demo --broker redis://127.0.0.1:6379");
    } else {
      console_.say("The same on a file, without any server: ./dev demo");
    }
  }

  demo_console console_;
  place where_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  child* web_ = nullptr;
  std::vector<std::string> pages_;  // their URLs
  std::chrono::steady_clock::time_point killed_at_;
};

void run_demo(const arguments& a) {
  const temporary_folder folder;
  const place where{a.broker.empty() ? "sqlite:" + folder.path + "/jobs.db" : a.broker, fresh_name()};
  if (!a.broker.empty()) quarq::run(reach(where));
  demo(where).play();
}

}  // namespace

int main(int argc, char** argv) {
  try {
    const auto a = read_arguments(argc, argv);
    if (a.help) {
      std::cout << usage;
      return 0;
    }
    run_demo(a);
    return 0;
  } catch (const interrupted&) {
    std::cerr << "\nquarq-demo: interrupted; all its processes have ended\n";
    return 130;
  } catch (const quarq::usage_error& e) {
    std::cerr << "quarq-demo: " << e.what() << "\n";
    return 2;
  } catch (const std::exception& e) {
    std::cerr << "quarq-demo: " << e.what() << "\n";
    return 1;
  }
}
