// swift-tools-version:5.9
import PackageDescription

let package = Package(
    name: "im-client-examples",
    platforms: [.macOS(.v13)],
    dependencies: [.package(path: "../../../bindings/swift")],
    targets: [
        .target(name: "Terminal"),
        .executableTarget(name: "chat", dependencies: ["Terminal", .product(name: "ImClient", package: "swift")]),
        .executableTarget(name: "qr_login", dependencies: ["Terminal", .product(name: "ImClient", package: "swift")]),
    ]
)
