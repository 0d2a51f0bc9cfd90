// `quarq-bench http`: the HTTP server beside its floors and peers.
#pragma once

namespace quarq::bench {

int http_main(int argc, char** argv);

}  // namespace quarq::bench
