#include "soak/checker.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "soak/soak_tasks.hpp"

namespace quarq::soak {

namespace {

using namespace std::chrono_literals;

/// The broker counts whole milliseconds.
constexpr std::chrono::microseconds clock_tick = 2ms;
/// For so long after its end a fault may still have effects: the worker has to reconnect, and to learn what
/// became of its jobs.
constexpr std::chrono::microseconds aftermath = 3s;

struct run {
  pid_t pid = 0;
  micros started{};
  std::optional<micros> ended;
  bool ended_well = false;
};

struct acknowledged_job {
  std::int64_t number = 0;
  micros not_before{};
};

struct fault {
  micros from{}, until = micros::max();
};

/// The journal, sorted by what it is about.
struct evidence {
  std::map<std::string, std::vector<acknowledged_job>> acknowledged;
  std::map<std::string, std::vector<run>> runs;
  std::map<pid_t, std::vector<fault>> faults;
  std::vector<const entry*> waits, cancels;
  std::size_t refused = 0;
};

std::int64_t number(const std::string& word) {
  return std::stoll(word);
}

class sorter {
 public:
  explicit sorter(evidence& into) : into_(into) {}

  void add(const entry& e) {
    if (e.event == "acked") {
      into_.acknowledged[e.words.at(0)].push_back(
          {number(e.words.at(1)), micros(std::chrono::microseconds(number(e.words.at(2))))});
    } else if (e.event == "refused") {
      ++into_.refused;
    } else if (e.event == "got") {
      into_.waits.push_back(&e);
    } else if (e.event == "cancel") {
      into_.cancels.push_back(&e);
    } else if (e.event == "start") {
      add_start(e);
    } else if (e.event == "end") {
      add_end(e);
    } else {
      add_fault(e);
    }
  }

 private:
  void add_start(const entry& e) {
    auto& of_job = into_.runs[e.words.at(0)];
    open_[{e.pid, e.words.at(1)}] = of_job.size();
    of_job.push_back({e.pid, e.at, std::nullopt, false});
  }
  void add_end(const entry& e) {
    auto& ended = into_.runs[e.words.at(0)].at(open_.at({e.pid, e.words.at(1)}));
    ended.ended = e.at;
    ended.ended_well = e.words.at(2) == "ok";
  }
  void add_fault(const entry& e) {
    auto& of_process = into_.faults[e.pid];
    if (e.event == "thawed") {
      of_process.back().until = e.at + aftermath;
    } else if (e.event == "cut") {
      of_process.push_back({e.at, e.at + aftermath});
    } else {
      of_process.push_back({e.at});
    }
  }

  evidence& into_;
  std::map<std::pair<pid_t, std::string>, std::size_t> open_;
};

class judge {
 public:
  judge(const evidence& seen, const final_states& ends) : seen_(seen), ends_(ends) {}

  report give(micros healthy_from, micros healthy_until) {
    for (const auto& [id, acks] : seen_.acknowledged) check_end(id, acks);
    for (const auto& [id, runs] : seen_.runs) check_runs(id, runs);
    for (const auto* wait : seen_.waits) check_wait(*wait);
    for (const auto* cancel : seen_.cancels) check_cancel(*cancel);
    check_cron(healthy_from, healthy_until);
    count();
    return std::move(out_);
  }

 private:
  template <class... Args>
  void violated(fmt::format_string<Args...> text, Args&&... args) {
    out_.violations.push_back(fmt::format(text, std::forward<Args>(args)...));
  }

  const std::vector<run>& runs_of(const std::string& id) const {
    static const std::vector<run> none;
    const auto found = seen_.runs.find(id);
    return found == seen_.runs.end() ? none : found->second;
  }

  bool was_hit(pid_t pid, micros from, micros until) const {
    const auto found = seen_.faults.find(pid);
    if (found == seen_.faults.end()) return false;
    return std::any_of(found->second.begin(), found->second.end(),
                       [&](const fault& f) { return f.from <= until && f.until >= from; });
  }

  void check_end(const std::string& id, const std::vector<acknowledged_job>& acks) {
    const auto& runs = runs_of(id);
    if (id.starts_with(unique_prefix) || id.starts_with(void_prefix)) {
      const auto done = static_cast<std::size_t>(
          std::count_if(runs.begin(), runs.end(), [](const run& r) { return r.ended_well; }));
      if (done < acks.size()) violated("{}: accepted {} times, done {} times", id, acks.size(), done);
      return;
    }
    if (acks.size() > 1) violated("{}: accepted {} times while its end was kept", id, acks.size());
    const auto [first, last] = ends_.equal_range(id);
    const auto states = std::distance(first, last);
    if (states != 1) {
      violated("{}: acknowledged, and has {} final states after {} starts", id, states, runs.size());
      return;
    }
    check_state(id, acks.front(), first->second);
  }

  void check_state(const std::string& id, const acknowledged_job& job, const final_state& end) {
    if (end.state == job_state::succeeded) {
      if (end.result != answer_to(job.number))
        violated("{}: its result is {}, not {}", id, end.result, answer_to(job.number));
      return;
    }
    if (end.state == job_state::cancelled && id.starts_with(cancelled_prefix)) return;
    const auto& runs = runs_of(id);
    const bool worker_was_hit = std::any_of(runs.begin(), runs.end(), [this](const run& r) {
      return was_hit(r.pid, r.started, r.ended ? *r.ended + aftermath : micros::max());
    });
    if (end.state == job_state::dead && id.starts_with(once_prefix) && worker_was_hit) return;
    violated("{}: ended as {} after {} starts", id, to_string(end.state), runs.size());
  }

  void check_runs(const std::string& id, const std::vector<run>& runs) {
    const auto acks = seen_.acknowledged.find(id);
    if (acks != seen_.acknowledged.end() &&
        runs.front().started + clock_tick < acks->second.front().not_before)
      violated("{}: started {} us before its time", id,
               (acks->second.front().not_before - runs.front().started).count());
    if (id.starts_with(unique_prefix)) return check_one_at_a_time(id, runs);
    for (std::size_t i = 1; i < runs.size(); ++i) {
      const auto& earlier = runs[i - 1];
      ++out_.repeated;
      if (earlier.ended && !earlier.ended_well) continue;
      if (was_hit(earlier.pid, earlier.started, runs[i].started)) continue;
      violated("{}: started on {}, and {} us later again on {}, though nothing had happened to {}", id,
               earlier.pid, (runs[i].started - earlier.started).count(), runs[i].pid, earlier.pid);
    }
  }

  void check_one_at_a_time(const std::string& id, const std::vector<run>& runs) {
    for (std::size_t i = 1; i < runs.size(); ++i) {
      const auto& earlier = runs[i - 1];
      if (earlier.ended && *earlier.ended <= runs[i].started) continue;
      if (was_hit(earlier.pid, earlier.started, runs[i].started)) continue;
      violated("{}: two jobs with this id ran at once, on {} and {}", id, earlier.pid, runs[i].pid);
    }
  }

  void check_wait(const entry& wait) {
    const auto& id = wait.words.at(0);
    const auto& state = wait.words.at(1);
    ++out_.awaited;
    const auto end = ends_.find(id);
    if (end == ends_.end()) return;  // said already, or not kept
    if (state != to_string(end->second.state) || number(wait.words.at(2)) != end->second.result)
      violated("{}: a client was told {} {}, and recorded is {} {}", id, state, wait.words.at(2),
               to_string(end->second.state), end->second.result);
  }

  void check_cancel(const entry& cancel) {
    if (cancel.words.at(1) != "cancelled") return;
    ++out_.cancelled;
    for (const auto& r : runs_of(cancel.words.at(0))) {
      if (r.started > cancel.at) violated("{}: started after it was cancelled", cancel.words.at(0));
    }
  }

  void check_cron(micros from, micros until) {
    std::set<std::int64_t> seconds;
    for (const auto& [id, runs] : seen_.runs) {
      if (!id.starts_with(cron_prefix)) continue;
      ++out_.cron;
      seconds.insert(number(id.substr(id.rfind(':') + 1)) / 1000);
    }
    const auto second_of = [](micros at) {
      return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
    };
    for (auto s = second_of(from) + 1; s < second_of(until); ++s) {
      if (!seconds.contains(s)) violated("cron: nothing ran in second {}", s);
    }
  }

  void count() {
    for (const auto& [id, acks] : seen_.acknowledged) out_.acknowledged += acks.size();
    for (const auto& [id, runs] : seen_.runs) out_.started += runs.size();
    out_.refused = seen_.refused;
  }

  const evidence& seen_;
  const final_states& ends_;
  report out_;
};

}  // namespace

report check(const std::vector<entry>& journal, const final_states& ends, micros healthy_from,
             micros healthy_until) {
  evidence seen;
  sorter sort(seen);
  for (const auto& e : journal) sort.add(e);
  return judge(seen, ends).give(healthy_from, healthy_until);
}

}  // namespace quarq::soak
