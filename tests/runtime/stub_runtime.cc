// A shared library that stands for an ONNX Runtime that cannot be used: its version is STUB_VERSION
// and it has no API. The layout is that of OrtApiBase. Without STUB_VERSION it is another library.

#ifdef STUB_VERSION

namespace {

struct ApiBase {
  const void* (*api)(unsigned version);
  const char* (*version)();
};

const ApiBase kBase{.api = [](unsigned /*version*/) -> const void* { return nullptr; },
                    .version = [] { return STUB_VERSION; }};

}  // namespace

extern "C" const void* OrtGetApiBase() { return &kBase; }

#endif
