#include "broker/arq/payload/payloads.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <quarq/errors.hpp>
#include <quarq/msgpack.hpp>

#include "broker/arq/payload/errors.hpp"
#include "broker/arq/payload/fields.hpp"
#include "broker/arq/payload/writer.hpp"
#include "codecs/python/pickle.hpp"

namespace quarq::broker::arq {

using codecs::raw_of;

namespace {

std::string encoded_text(std::string_view text) {
  std::string out;
  encoder(out).text(text);
  return out;
}

// ---- arq's payloads, read

/// Which codec wrote this, as far as its first bytes tell.
bool looks_like_msgpack(std::string_view payload) {
  const auto first = static_cast<unsigned char>(payload.empty() ? 0 : payload[0]);
  return (first >= 0x81 && first <= 0x8f) || first == 0xde || first == 0xdf;
}

bool looks_like_pickle(std::string_view payload) {
  if (payload.size() < 3 || payload.back() != '.') return false;
  const bool has_protocol = payload[0] == '\x80' && payload[1] >= 2 && payload[1] <= 5;
  return has_protocol || payload.starts_with("(d") || payload.starts_with("}");
}

[[noreturn]] void fail_other_codec(std::string_view what, std::string_view is, std::string_view set) {
  throw decode_error(std::string(what) + ": this is " + std::string(is) +
                     ", but ?codec= of the broker's URL says " + std::string(set));
}

void require_keys(const decoder& in, std::initializer_list<std::pair<std::string_view, bool>> keys) {
  for (const auto& [name, there] : keys)
    if (!there) in.fail("key " + std::string(name) + " is missing");
}

constexpr bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

/// A counter of starts; None where nobody counted.
int read_try(decoder& in) {
  if (in.try_nil()) return 0;
  return static_cast<int>(std::clamp<std::int64_t>(in.integer(), 0, std::numeric_limits<int>::max()));
}

}  // namespace

class arq_payloads::state {
 public:
  explicit state(arq_codec codec)
      : codec_(codec), lenient_(codecs::python::pickle_options{.unknown_objects_as_exceptions = true}) {}

  arq_codec codec() const noexcept { return codec_; }

  std::string write_job(const arq_job& job) {
    record_fields parts;
    try {
      others_.clear();
      parts = read_record(job.record, others_);
      if (job.expires_at_ms) {
        std::string encoded;
        encoder(encoded).integer(*job.expires_at_ms);
        others_.add("expires_at", encoded);
      }
      return write_job_as(codec_, job, parts, others_);
    } catch (const decode_error& e) {
      throw usage_error((parts.task.empty() ? "" : std::string(parts.task) + ": ") + e.what());
    }
  }

  arq_job_in read_job(std::string_view payload) {
    arq_job_in job;
    decoder in(as_msgpack(payload, "job payload", &job.given), "job payload");
    others_.clear();
    std::string_view function, arguments, given_by_name;
    bool has_function = false, has_try = false, has_time = false;
    read_map(in, [&](std::string_view key) {
      if (key == "t") {
        job.try_at_least = read_try(in);
        has_try = true;
      } else if (key == "f") {
        function = in.text();
        has_function = true;
      } else if (key == "a") {
        arguments = raw_of(in, value_type::array);
      } else if (key == "k") {
        given_by_name = keywords(in);
      } else if (key == "et") {
        job.enqueued_ms = in.integer(0, last_moment_ms);
        has_time = true;
      } else if (key == "quarq") {
        read_our_options(in, job);
      } else {
        in.skip();
      }
    });
    in.finish();
    require_keys(in, {{"t", has_try},
                      {"f", has_function},
                      {"a", !arguments.empty()},
                      {"k", !given_by_name.empty()},
                      {"et", has_time}});
    write_record(job.record, function, arguments, given_by_name);
    return job;
  }

  std::string write_end(const arq_end& end, std::string* unserializable) {
    try {
      others_.clear();
      record_fields job = read_record(end.record, others_);
      job.known = job.known || !end.given.empty();
      others_.clear();
      const end_fields parts = read_outcome(end.outcome, others_);
      return write_readable_end(end, job, parts, unserializable);
    } catch (const decode_error& e) {
      throw usage_error(e.what());
    }
  }

  arq_end_in read_end(std::string_view payload) {
    arq_end_in end;
    try {
      decoder in(as_msgpack(payload, "result payload"), "result payload");
      read_end_from(in, end);
    } catch (const decode_error&) {
      // In a failure any class may stand, of which its name says enough.
      if (codec_ != arq_codec::pickle || looks_like_msgpack(payload)) throw;
      scratch_.clear();
      lenient_.append_msgpack(scratch_, payload, "result payload");
      decoder in(scratch_, "result payload");
      end = {};
      if (read_end_from(in, end)) throw;
    }
    return end;
  }

 private:
  std::string_view as_msgpack(std::string_view payload, std::string_view what, std::string* open = nullptr) {
    if (codec_ == arq_codec::msgpack) {
      if (looks_like_pickle(payload)) fail_other_codec(what, "a pickle", "msgpack");
      return payload;
    }
    if (looks_like_msgpack(payload)) fail_other_codec(what, "msgpack", "pickle");
    scratch_.clear();
    strict_.append_msgpack(scratch_, payload, what, open);
    return scratch_;
  }

  void read_our_options(decoder& in, arq_job_in& job) {
    read_map(in, [&](std::string_view key) {
      if (key == "expires_at") {
        job.expires_at_ms = in.integer(0, last_moment_ms);
      } else if (is_one_of(key, {"f", "a", "k", "unreadable"})) {
        in.skip();
      } else {
        others_.add(key, in.raw());
      }
    });
  }

  void write_record(std::string& out, std::string_view function, std::string_view arguments,
                    std::string_view given_by_name) {
    const bool by_name = given_by_name != no_keywords;
    out.reserve(function.size() + arguments.size() + given_by_name.size() + others_.encoded.size() + 16);
    encoder record(out);
    record.map(2 + (by_name ? 1 : 0) + others_.count);
    record.text("f");
    record.text(function);
    record.text("a");
    record.raw(arguments);
    if (by_name) {
      record.text("k");
      record.raw(given_by_name);
    }
    record.raw(others_.encoded);
  }

  std::string write_readable_end(const arq_end& end, const record_fields& job, const end_fields& parts,
                                 std::string* unserializable) {
    std::optional<python_error> error;
    if (end.state != job_state::succeeded) {
      others_.add("state", encoded_text(to_string(end.state)));
      error = python_error_of({.state = end.state,
                               .readable = job.known,
                               .task = parts.task,
                               .attempts = parts.attempts,
                               .type = parts.error_type,
                               .message = parts.error});
    }
    try {
      return write_end_as(codec_, end, job, parts, others_, error);
    } catch (const decode_error& e) {
      if (error) throw;
      error = python_error{{}, std::string("unable to serialize result: ") + e.what()};
      if (unserializable) *unserializable = e.what();
    }
    others_.add("state", encoded_text(to_string(end.state)));
    std::string exact;
    encoder(exact).binary(parts.result);
    others_.add("r", exact);
    return write_end_as(codec_, end, job, parts, others_, error);
  }

  /// Says whether the job succeeded.
  bool read_end_from(decoder& in, arq_end_in& end) {
    others_.clear();
    end_fields parts;
    std::optional<bool> success;
    std::optional<job_state> own_state;
    std::string_view exact;
    bool has_try = false, has_function = false, has_arguments = false, has_keywords = false;
    bool has_enqueued = false, has_started = false, has_finished = false;
    read_map(in, [&](std::string_view key) {
      if (key == "t") {
        parts.attempts = read_try(in);
        has_try = true;
      } else if (key == "f") {
        parts.task = in.text();
        has_function = true;
      } else if (key == "a") {
        raw_of(in, value_type::array);
        has_arguments = true;
      } else if (key == "k") {
        keywords(in);
        has_keywords = true;
      } else if (key == "et") {
        parts.enqueued_ms = in.integer(0, last_moment_ms);
        has_enqueued = true;
      } else if (key == "st") {
        parts.started_ms = in.integer(0, last_moment_ms);
        has_started = true;
      } else if (key == "ft") {
        parts.finished_ms = in.integer(0, last_moment_ms);
        has_finished = true;
      } else if (key == "s") {
        success = in.boolean();
      } else if (key == "r") {
        parts.result = in.raw();
      } else if (key == "q") {
        end.queue = in.text();
      } else if (key == "id") {
        end.id = in.text();
      } else if (key == "quarq") {
        read_our_end(in, own_state, exact);
      } else {
        in.skip();
      }
    });
    in.finish();
    require_keys(in, {{"t", has_try},
                      {"f", has_function},
                      {"a", has_arguments},
                      {"k", has_keywords},
                      {"et", has_enqueued},
                      {"s", success.has_value()},
                      {"r", !parts.result.empty()},
                      {"st", has_started},
                      {"ft", has_finished}});
    if (!exact.empty()) parts.result = exact;
    end.state = own_state.value_or(*success ? job_state::succeeded : job_state::failed);
    if (!*success && !own_state) end.state = add_python_error(parts.result, parts.task);
    write_outcome(end.outcome, parts, end.state == job_state::succeeded);
    return *success;
  }

  void read_our_end(decoder& in, std::optional<job_state>& own_state, std::string_view& exact) {
    others_.clear();  // the call may stand before it
    read_map(in, [&](std::string_view key) {
      if (key == "state") {
        const std::string_view word = in.text();
        own_state = job_state_from(word);
        if (!own_state || !is_final(*own_state))
          in.fail("expected the state of an ended job, got \"" + std::string(word) + '"');
      } else if (key == "r") {
        exact = in.binary();
        decoder whole(exact, "result payload: field quarq.r");
        whole.skip();
        whole.finish();
      } else if (is_one_of(key, {"f", "t", "et", "st", "ft"})) {
        in.skip();
      } else {
        others_.add(key, in.raw());
      }
    });
  }

  job_state add_python_error(std::string_view result, std::string_view task) {
    const our_error e = our_error_of(result, task);
    others_.add("error_type", encoded_text(e.type));
    std::string message;
    encoder(message).binary(e.message);
    if (!e.message.empty()) others_.add("error", message);
    return e.state;
  }

  void write_outcome(std::string& out, const end_fields& parts, bool succeeded) {
    out.reserve(parts.task.size() + parts.result.size() + others_.encoded.size() + 48);
    encoder outcome(out);
    outcome.map(5 + (succeeded ? 1 : 0) + others_.count);
    const auto number = [&](std::string_view name, std::int64_t value) {
      outcome.text(name);
      outcome.integer(value);
    };
    outcome.text("f");
    outcome.text(parts.task);
    number("t", parts.attempts);
    number("et", parts.enqueued_ms);
    number("st", parts.started_ms);
    number("ft", parts.finished_ms);
    if (succeeded) {
      outcome.text("r");
      outcome.raw(parts.result);
    }
    outcome.raw(others_.encoded);
  }

  arq_codec codec_;
  codecs::python::pickle_reader strict_, lenient_;
  std::string scratch_;  ///< a pickle as msgpack: decoded views point into it
  fields others_;
};

arq_payloads::arq_payloads(arq_codec codec) : state_(std::make_unique<state>(codec)) {}
arq_payloads::~arq_payloads() = default;
arq_payloads::arq_payloads(arq_payloads&&) noexcept = default;
arq_payloads& arq_payloads::operator=(arq_payloads&&) noexcept = default;

arq_codec arq_payloads::codec() const noexcept {
  return state_->codec();
}

std::string arq_payloads::write_job(const arq_job& job) {
  return state_->write_job(job);
}

arq_job_in arq_payloads::read_job(std::string_view payload) {
  return state_->read_job(payload);
}

std::string arq_payloads::write_end(const arq_end& end, std::string* unserializable) {
  return state_->write_end(end, unserializable);
}

arq_end_in arq_payloads::read_end(std::string_view payload) {
  return state_->read_end(payload);
}

std::string unreadable_record(std::string_view why) {
  std::string out;
  encoder record(out);
  record.map(1);
  record.text("unreadable");
  record.binary(why);
  return out;
}

std::string unknown_record() {
  std::string out;
  encoder record(out);
  record.map(2);
  record.text("f");
  record.text(unknown_function);
  record.text("a");
  record.array(0);
  return out;
}

}  // namespace quarq::broker::arq
