// Translates python-arq's jobs and results into quarq's records and outcomes (docs/payload.md), and
// back. docs/arq.md has the tables. Nothing of the record's and the outcome's own fields is known here but
// those that arq has too: all others travel under the key "quarq", which arq ignores.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <quarq/job_state.hpp>

namespace quarq::broker::arq {

/// How arq's clients and workers write: Python's pickle is arq's default.
enum class arq_codec { pickle, msgpack };

/// A job to be written.
struct arq_job {
  std::string_view record;
  std::int64_t enqueued_ms = 0;               ///< Unix time
  std::optional<int> job_try;                 ///< arq's _job_try: the counter of starts is raised to it
  std::optional<std::int64_t> expires_at_ms;  ///< Unix time; read back by quarq only
};

/// A job that was read.
struct arq_job_in {
  std::string record;
  std::int64_t enqueued_ms = 0;
  int try_at_least = 0;                       ///< arq's _job_try; 0: not given
  std::optional<std::int64_t> expires_at_ms;  ///< if quarq wrote it, and was asked to
  /// For arq_end::given. Empty where the record has all of it.
  std::string given;
};

/// An ended job to be written.
struct arq_end {
  /// The job's arguments are in it. Empty, unreadable_record() or unknown_record(): written as arq does for
  /// jobs that it could not read, with the function "<unknown>" and no arguments.
  std::string_view record;
  std::string_view outcome;  ///< gives its times, tries, result or error
  job_state state = job_state::succeeded;
  std::string_view queue, id;
  /// Of read_job, in place of the record: the result then repeats the call exactly as it was given.
  std::string_view given{};
};

/// An ended job that was read.
struct arq_end_in {
  job_state state = job_state::succeeded;
  std::string outcome;
  std::string queue, id;  ///< empty where the payload says nothing
};

/// Translates. It keeps memory from one call for the next: one for each broker. Not thread-safe.
class arq_payloads {
 public:
  explicit arq_payloads(arq_codec codec);
  ~arq_payloads();
  arq_payloads(arq_payloads&&) noexcept;
  arq_payloads& operator=(arq_payloads&&) noexcept;

  arq_codec codec() const noexcept;

  /// Throws quarq::usage_error, naming the value, if Python's pickles can't hold the arguments, or
  /// if the record is not one.
  std::string write_job(const arq_job& job);
  /// Throws decode_error that names what is wrong and where: "job payload: field et: expected integer, got
  /// string", "job payload: byte 17: unknown global os.system", "job payload: this is msgpack, but ?codec= of
  /// the broker's URL says pickle".
  arq_job_in read_job(std::string_view payload);

  /// Never fails because of a result that Python can't have: the job is then written as arq does, as failed
  /// with "unable to serialize result"; quarq reads the exact result all the same. Throws usage_error if
  /// `outcome` is not one. `unserializable` gets the value that Python can't have, if there is one.
  std::string write_end(const arq_end& end, std::string* unserializable = nullptr);
  /// Throws decode_error that begins with "result payload: ".
  arq_end_in read_end(std::string_view payload);

 private:
  class state;
  std::unique_ptr<state> state_;
};

/// Stands for a job whose payload read_job refused. A worker that is given it ends the job as dead with
/// quarq::decode_error and `why`; nothing else of the job is known.
std::string unreadable_record(std::string_view why);

/// Stands for a job whose payload is gone. To be given to a worker with an expires_at that has passed: it
/// ends the job as expired, and write_end writes arq's text for that ("job expired").
std::string unknown_record();

}  // namespace quarq::broker::arq
