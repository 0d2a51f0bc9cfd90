// `quarq-bench-grpc server`, `client PORT COUNT` and `rate PORT SECONDS`: as quarq-bench's rpc-server and rpc-client, by
// gRPC: one thread with a completion queue at each end.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <grpcpp/grpcpp.h>
#include <time.h>
#include <word_size.grpc.pb.h>

namespace quarq::bench {
namespace {

using steady = std::chrono::steady_clock;

constexpr int in_flight = 64;

// ---- the server

class served_call {
 public:
  served_call(words::AsyncService& service, grpc::ServerCompletionQueue& events)
      : service_(service), events_(events) {
    service_.Requestword_size(&context_, &asked_, &answer_, &events_, &events_, this);
  }
  void go_on() {
    if (answered_) {
      delete this;
      return;
    }
    new served_call(service_, events_);
    size result;
    result.set_bytes(static_cast<std::int64_t>(asked_.text().size()));
    answered_ = true;
    answer_.Finish(result, grpc::Status::OK, this);
  }

 private:
  words::AsyncService& service_;
  grpc::ServerCompletionQueue& events_;
  grpc::ServerContext context_;
  word asked_;
  grpc::ServerAsyncResponseWriter<size> answer_{&context_};
  bool answered_ = false;
};

int serve() {
  words::AsyncService service;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const auto events = builder.AddCompletionQueue();
  const auto server = builder.BuildAndStart();
  std::printf("%d\n", port);
  std::fflush(stdout);
  for (int i = 0; i < in_flight; ++i) new served_call(service, *events);
  void* which = nullptr;
  bool ok = false;
  while (events->Next(&which, &ok)) {
    if (ok) static_cast<served_call*>(which)->go_on();
  }
  return 0;
}

// ---- clients

std::unique_ptr<words::Stub> connect(const char* port) {
  return words::NewStub(
      grpc::CreateChannel(std::string("127.0.0.1:") + port, grpc::InsecureChannelCredentials()));
}

word question() {
  word asked;
  asked.set_text(std::string(120, 'x'));
  return asked;
}

void check(const grpc::Status& status, const size& answer) {
  if (!status.ok() || answer.bytes() != 120) throw std::runtime_error("a wrong result");
}

int call_one_after_another(const char* port, std::size_t count) {
  const auto stub = connect(port);
  std::vector<double> times;
  for (std::size_t i = 0; i < count + count / 10; ++i) {
    const auto begin = steady::now();
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1));
    size answer;
    check(stub->word_size(&context, question(), &answer), answer);
    // The first tenth warms up.
    if (i >= count / 10)
      times.push_back(std::chrono::duration<double, std::micro>(steady::now() - begin).count());
  }
  std::sort(times.begin(), times.end());
  std::printf("%f %f\n", times[times.size() / 2], times[times.size() * 99 / 100]);
  return 0;
}

struct call_under_way {
  grpc::ClientContext context;
  size answer;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<size>> reader;

  static void begin(words::Stub& stub, grpc::CompletionQueue& events) {
    auto* one = new call_under_way;
    one->context.set_deadline(std::chrono::system_clock::now() + std::chrono::minutes(1));
    one->reader = stub.Asyncword_size(&one->context, question(), &events);
    one->reader->Finish(&one->answer, &one->status, one);
  }
};

double cpu_seconds() {
  timespec used{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

int keep_many_in_flight(const char* port, int seconds) {
  const auto stub = connect(port);
  grpc::CompletionQueue events;
  const auto until = steady::now() + std::chrono::seconds(seconds);
  long answered = 0;
  int running = in_flight;
  for (int i = 0; i < in_flight; ++i) call_under_way::begin(*stub, events);
  void* which = nullptr;
  bool ok = false;
  while (running > 0 && events.Next(&which, &ok)) {
    const std::unique_ptr<call_under_way> one(static_cast<call_under_way*>(which));
    check(one->status, one->answer);
    ++answered;
    if (steady::now() < until) {
      call_under_way::begin(*stub, events);
    } else {
      --running;
    }
  }
  std::printf("%ld %f\n", answered, cpu_seconds());
  return 0;
}

int measure(int argc, char** argv) {
  const std::string_view kind = argc > 1 ? argv[1] : "";
  if (kind == "server") return serve();
  if (kind == "client" && argc == 4)
    return call_one_after_another(argv[2], static_cast<std::size_t>(std::atoi(argv[3])));
  if (kind == "rate" && argc == 4) return keep_many_in_flight(argv[2], std::atoi(argv[3]));
  std::fprintf(stderr, "Usage: quarq-bench-grpc server, or client PORT COUNT, or rate PORT SECONDS\n");
  return 2;
}

}  // namespace
}  // namespace quarq::bench

int main(int argc, char** argv) {
  try {
    return quarq::bench::measure(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "quarq-bench-grpc: %s\n", e.what());
    return 1;
  }
}
