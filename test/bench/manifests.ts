// What benchmarks declare.

/** Replicas of a process that sleeps, on the host's network. */
export function idleDeployment(replicas: number): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: idle }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: idle } }
  template:
    metadata: { labels: { app: idle } }
    spec:
      hostNetwork: true
      terminationGracePeriodSeconds: 0
      containers:
        - name: idle
          image: localhost/busybox:1
          command: [sleep, '1000000']
`;
}

/** One server on the host's loopback. */
export function webPod(port: number): string {
  return `apiVersion: v1
kind: Pod
metadata: { name: web }
spec:
  hostNetwork: true
  terminationGracePeriodSeconds: 0
  containers:
    - name: web
      image: localhost/busybox:1
      command: [httpd, -f, -p, '127.0.0.1:${port}', -h, /tmp]
`;
}
