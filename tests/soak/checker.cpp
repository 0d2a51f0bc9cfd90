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
/// A clock is set about when the journal says so.
constexpr std::chrono::microseconds sets_clock_before = 1s;
/// For so long after its end a fault may still have effects: the worker has to reconnect, and to learn what
/// became of its jobs.
constexpr std::chrono::microseconds aftermath = 3s;

/// worker_options::max_losses of the workers.
constexpr std::ptrdiff_t max_losses = 5;

struct run {
  pid_t pid = 0;
  micros started{};
  std::optional<micros> ended;
  bool ended_well = false;
};

struct acknowledged_job {
  std::int64_t number = 0;
  micros not_before{};
  micros sent{};  ///< it may have been there from then on, however late that was acknowledged
  micros at{};
};

struct fault {
  micros from{}, until = micros::max();
};

struct purge {
  std::string queue, state;
  micros until = micros::max();  ///< when it was answered
  std::optional<std::int64_t> count{};
};

/// The wall clock, as it was set.
class clock_settings {
 public:
  void set(micros at, std::chrono::microseconds ahead, std::chrono::microseconds within) {
    settings_.back().until = at + within;
    settings_.push_back({ahead, at - sets_clock_before});
  }
  /// How far it was ahead at most, or at least, between the two.
  std::chrono::microseconds most_ahead(micros from, micros until) const {
    return extreme(from, until, [](auto a, auto b) { return std::max(a, b); });
  }
  std::chrono::microseconds least_ahead(micros from, micros until) const {
    return extreme(from, until, [](auto a, auto b) { return std::min(a, b); });
  }

 private:
  struct setting {
    std::chrono::microseconds ahead{0};
    micros from = micros::min(), until = micros::max();
  };

  template <class F>
  std::chrono::microseconds extreme(micros from, micros until, F more_extreme) const {
    std::optional<std::chrono::microseconds> found;
    for (const auto& s : settings_) {
      if (s.from <= until && s.until >= from) found = found ? more_extreme(*found, s.ahead) : s.ahead;
    }
    return found.value_or(std::chrono::microseconds(0));
  }

  std::vector<setting> settings_{setting()};
};

/// The journal, sorted by what it is about.
struct evidence {
  std::map<std::string, std::vector<acknowledged_job>> acknowledged;
  std::map<std::string, std::vector<run>> runs;
  std::map<pid_t, std::vector<fault>> faults;
  std::vector<const entry*> waits, cancels, sights;
  std::set<std::string> asked_to_cancel;
  std::map<std::string, std::map<pid_t, micros>> requeue_requests;  ///< the last of each operator
  std::map<std::string, micros> requeued;  ///< when that was asked for, the last time
  std::map<std::pair<pid_t, std::string>, purge> purges;
  clock_settings clock;
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
      const auto time = [&](std::size_t word) {
        return micros(std::chrono::microseconds(number(e.words.at(word))));
      };
      into_.acknowledged[e.words.at(0)].push_back({number(e.words.at(1)), time(2), time(3), e.at});
    } else if (e.event == "refused") {
      ++into_.refused;
    } else if (e.event == "got") {
      into_.waits.push_back(&e);
    } else if (e.event == "cancel") {
      into_.cancels.push_back(&e);
      into_.asked_to_cancel.insert(e.words.at(0));
    } else if (is_of_operators(e)) {
      add_operation(e);
    } else if (e.event == "clock") {
      into_.clock.set(e.at, std::chrono::microseconds(number(e.words.at(0))),
                      std::chrono::microseconds(number(e.words.at(1))));
    } else if (e.event == "start") {
      add_start(e);
    } else if (e.event == "end") {
      add_end(e);
    } else {
      add_fault(e);
    }
  }

 private:
  static bool is_of_operators(const entry& e) {
    for (const auto* event : {"cancelling", "requeue", "requeued", "purge", "purged", "saw"}) {
      if (e.event == event) return true;
    }
    return false;
  }
  void add_operation(const entry& e) {
    const auto& first = e.words.at(0);
    if (e.event == "cancelling") {
      into_.asked_to_cancel.insert(first);
    } else if (e.event == "requeue") {
      into_.requeue_requests[first][e.pid] = e.at;
    } else if (e.event == "requeued") {
      into_.requeued[first] = into_.requeue_requests.at(first).at(e.pid);
    } else if (e.event == "purge") {
      into_.purges[{e.pid, first}] = {e.words.at(1), e.words.at(2)};
    } else if (e.event == "purged") {
      auto& answered = into_.purges.at({e.pid, first});
      answered.until = e.at;
      answered.count = number(e.words.at(1));
    } else {
      into_.sights.push_back(&e);
    }
  }
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
    for (const auto* sight : seen_.sights) check_sight(*sight);
    for (const auto& [id, at] : seen_.requeued) check_requeued(id, at);
    check_purges();
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
    if (states == 0 && may_be_purged(id, acks.front())) {
      ++out_.purged;
      return;
    }
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
    if (end.state == job_state::cancelled && seen_.asked_to_cancel.contains(id)) return;
    const auto& runs = runs_of(id);
    if (end.state == job_state::dead && id.starts_with(doomed_prefix) &&
        std::any_of(runs.begin(), runs.end(), [](const run& r) { return failed(r); }))
      return;
    const auto losses = std::count_if(runs.begin(), runs.end(), [this](const run& r) {
      return was_hit(r.pid, r.started, r.ended ? *r.ended + aftermath : micros::max());
    });
    if (end.state == job_state::dead && losses >= max_losses) return;
    violated("{}: ended as {} after {} starts", id, to_string(end.state), runs.size());
  }

  void check_runs(const std::string& id, const std::vector<run>& runs) {
    // Of one id's many jobs the first to run may be acknowledged after others, or never, if its client was killed.
    if (id.starts_with(unique_prefix)) return check_one_at_a_time(id, runs);
    const auto acks = seen_.acknowledged.find(id);
    if (acks != seen_.acknowledged.end()) check_not_early(id, acks->second.front(), runs.front());
    for (std::size_t i = 1; i < runs.size(); ++i) {
      const auto& earlier = runs[i - 1];
      ++out_.repeated;
      if (earlier.ended && !earlier.ended_well) continue;
      if (was_hit(earlier.pid, earlier.started, runs[i].started)) continue;
      violated("{}: started on {}, and {} us later again on {}, though nothing had happened to {}", id,
               earlier.pid, (runs[i].started - earlier.started).count(), runs[i].pid, earlier.pid);
    }
  }

  // Both by the clock as it was set then.
  void check_not_early(const std::string& id, const acknowledged_job& job, const run& first) {
    const auto enqueued = job.not_before - longest_delay;
    const auto due = job.not_before + seen_.clock.least_ahead(enqueued, job.at);
    const auto started = first.started + seen_.clock.most_ahead(enqueued, first.started);
    if (started + clock_tick < due)
      violated("{}: started {} us before its time", id, (due - started).count());
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
    if (state == to_string(job_state::dead) && seen_.requeue_requests.contains(id)) return;
    if (state != to_string(end->second.state) || number(wait.words.at(2)) != end->second.result)
      violated("{}: a client was told {} {}, and recorded is {} {}", id, state, wait.words.at(2),
               to_string(end->second.state), end->second.result);
  }

  void check_cancel(const entry& cancel) {
    const auto& id = cancel.words.at(0);
    const auto& outcome = cancel.words.at(1);
    const auto& runs = runs_of(id);
    const auto later =
        std::count_if(runs.begin(), runs.end(), [&](const run& r) { return r.started > cancel.at; });
    if (outcome == "cancelled") {
      ++out_.cancelled;
      if (later > 0) violated("{}: started after it was cancelled", id);
    }
    // One worker may have claimed it, and not have begun yet.
    if (outcome == "requested" && later > 1)
      violated("{}: started {} times after its running worker was to cancel it", id, later);
  }

  void check_sight(const entry& sight) {
    const auto& id = sight.words.at(0);
    const auto& state = sight.words.at(1);
    const auto end = ends_.find(id);
    if (end == ends_.end() || !seen_.acknowledged.contains(id) || state == to_string(end->second.state))
      return;
    if (state == to_string(job_state::dead) && seen_.requeue_requests.contains(id)) return;
    violated("{}: an operator saw it {}, and recorded is {}", id, state, to_string(end->second.state));
  }

  void check_requeued(const std::string& id, micros asked) {
    ++out_.requeued;
    const auto& runs = runs_of(id);
    // Of others an attempt may be lost before it is in the journal.
    if (id.starts_with(doomed_prefix) &&
        std::none_of(runs.begin(), runs.end(), [&](const run& r) { return r.started >= asked; }))
      violated("{}: was requeued, and did not run again", id);
  }

  static bool failed(const run& r) { return r.ended && !r.ended_well; }

  bool may_be_purged(const std::string& id, const acknowledged_job& job) const {
    const auto* const queue = id.starts_with(spare_prefix) ? spare_queue : main_queue;
    return std::any_of(seen_.purges.begin(), seen_.purges.end(), [&](const auto& numbered) {
      const purge& p = numbered.second;
      return p.queue == queue && p.until >= job.sent && may_have_been(id, p);
    });
  }

  /// Whether the job may have been in the state that was purged.
  bool may_have_been(const std::string& id, const purge& p) const {
    const auto& runs = runs_of(id);
    const auto some_run = [&](auto is) {
      return std::any_of(runs.begin(), runs.end(),
                         [&](const run& r) { return r.started <= p.until && is(r); });
    };
    if (p.state == to_string(job_state::succeeded))
      return some_run([](const run& r) { return r.ended_well; });
    if (p.state == to_string(job_state::dead))
      return some_run([&](const run& r) { return failed(r) || was_hit(r.pid, r.started, p.until); });
    if (p.state == to_string(job_state::cancelled)) return seen_.asked_to_cancel.contains(id);
    return p.state == to_string(job_state::queued) || p.state == to_string(job_state::deferred);
  }

  void check_purges() {
    std::int64_t counted = 0;
    for (const auto& [who, p] : seen_.purges) {
      if (!p.count) return;  // Nobody knows.
      counted += *p.count;
    }
    if (static_cast<std::int64_t>(out_.purged) > counted)
      violated("{} jobs are gone, and operators were told of {} that they purged", out_.purged, counted);
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
