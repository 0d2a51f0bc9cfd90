// What the processes of a soak have seen and done, written by themselves: one line an event, appended to one
// file by a single write, so that it is there whatever happens to its writer next.
//
//     acked 1700000000123456 4711 slow-4711-9 9 1700000000123000
//
// The event, microseconds of Unix time, the process it is about, and words that depend on the event:
//
//     acked    ID NUMBER NOT_BEFORE   a client's job was accepted; it must not start before that microsecond
//     refused  ID                     a client's job was refused: its id was taken
//     got      ID STATE NUMBER        a client's wait ended; NUMBER is 0 unless the job has succeeded
//     cancelling ID                   somebody is about to cancel it; "cancel" follows, if that is answered
//     cancel   ID OUTCOME             ... and was answered
//     start    ID RUN ATTEMPT         a handler began; RUN is counted by its process
//     end      ID RUN ok|failed       it returned, or is about to throw on purpose
//     requeue  ID                     an operator is about to requeue a dead job
//     requeued ID                     ... and was told that it was dead, and is queued
//     purge    NUMBER QUEUE STATE     an operator is about to purge; NUMBER is counted by its process
//     purged   NUMBER COUNT           ... and was told how many there were
//     saw      ID STATE               an operator was shown that a job had ended
//     killed, terminated, frozen, thawed, cut     the driver did this to a process
//     clock    AHEAD WITHIN           the clock by which jobs are due is ahead by so many microseconds from about
//                                     now; WITHIN microseconds all go by it. The journal's never is
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "support/history.hpp"

namespace quarq::soak {

using test::micros;

/// Unix time by the machine's own clock, whatever the clock of this process was set to.
micros true_time();

class journal_writer {
 public:
  /// Throws std::system_error if the file can't be opened.
  explicit journal_writer(const std::string& path);
  ~journal_writer();
  journal_writer(const journal_writer&) = delete;
  journal_writer& operator=(const journal_writer&) = delete;

  /// Of this process, or of another. Words must not be empty or have white space. Thread-safe.
  void note(std::string_view event, std::initializer_list<std::string_view> words = {}) const;
  void note_of(pid_t pid, std::string_view event, std::initializer_list<std::string_view> words = {}) const;

 private:
  int file_;
};

struct entry {
  std::string event;
  micros at{};
  pid_t pid = 0;
  std::vector<std::string> words;
  std::size_t line = 0;  ///< of the journal
};

/// In the order of their times. Throws std::runtime_error naming a line that is none.
std::vector<entry> read_journal(const std::string& path);

}  // namespace quarq::soak
