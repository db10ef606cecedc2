// Fields that Kubernetes 1.34 has and berth has not yet: a message can then say so instead of guessing at a typo.

function fields(names: string): readonly string[] {
  return names.trim().split(/\s+/);
}

export const NOT_YET = {
  metadata: fields('generateName selfLink deletionTimestamp deletionGracePeriodSeconds ownerReferences finalizers'),
  templateMetadata: fields(
    'name generateName namespace uid resourceVersion generation managedFields ownerReferences finalizers',
  ),
  deployment: fields('strategy minReadySeconds revisionHistoryLimit paused progressDeadlineSeconds'),
  daemonSet: fields('updateStrategy minReadySeconds revisionHistoryLimit'),
  statefulSet: fields('minReadySeconds revisionHistoryLimit persistentVolumeClaimRetentionPolicy ordinals'),
  job: fields(`
    selector manualSelector completionMode podFailurePolicy successPolicy backoffLimitPerIndex maxFailedIndexes
    podReplacementPolicy managedBy`),
  pod: fields(`
    ephemeralContainers activeDeadlineSeconds nodeSelector serviceAccountName
    serviceAccount automountServiceAccountToken nodeName hostUsers shareProcessNamespace
    imagePullSecrets subdomain affinity schedulerName tolerations priorityClassName priority
    readinessGates runtimeClassName enableServiceLinks preemptionPolicy overhead topologySpreadConstraints
    setHostnameAsFQDN os schedulingGates resourceClaims resources hostnameOverride`),
  podSecurity: fields(`
    seLinuxOptions appArmorProfile windowsOptions supplementalGroupsPolicy
    seLinuxChangePolicy`),
  container: fields(`
    terminationMessagePath terminationMessagePolicy stdin
    stdinOnce tty volumeDevices resizePolicy restartPolicy restartPolicyRules`),
  lifecycle: fields('stopSignal'),
  lifecycleHandler: fields('tcpSocket'),
  containerSecurity: fields('seLinuxOptions appArmorProfile windowsOptions procMount'),
  seccompProfile: fields('localhostProfile'),
  resources: fields('claims'),
  limits: fields('ephemeral-storage hugepages-2Mi hugepages-1Gi'),
  claim: fields('volumeName selector dataSource dataSourceRef volumeAttributesClassName'),
  service: fields(`
    clusterIP clusterIPs externalIPs externalName externalTrafficPolicy internalTrafficPolicy healthCheckNodePort ipFamilies
    ipFamilyPolicy loadBalancerIP loadBalancerClass loadBalancerSourceRanges allocateLoadBalancerNodePorts
    publishNotReadyAddresses sessionAffinityConfig trafficDistribution`),
  servicePort: fields('appProtocol'),
  envSource: fields('fileKeyRef'),
  resourceFieldRef: fields('containerName'),
  volume: fields(`
    projected downwardAPI nfs csi ephemeral image gitRepo iscsi glusterfs rbd flexVolume cinder
    cephfs flocker fc azureFile azureDisk vsphereVolume quobyte photonPersistentDisk portworxVolume scaleIO storageos
    awsElasticBlockStore gcePersistentDisk`),
} as const;

/** Kinds that Kubernetes has and berth has not yet, by the apiVersion they are written with. */
export const KINDS_NOT_YET: ReadonlyMap<string, string> = new Map([
  ['ReplicaSet', 'apps/v1'],
  ['CronJob', 'batch/v1'],
  ['PersistentVolume', 'v1'],
  ['ServiceAccount', 'v1'],
  ['ReplicationController', 'v1'],
  ['LimitRange', 'v1'],
  ['ResourceQuota', 'v1'],
  ['Endpoints', 'v1'],
  ['StorageClass', 'storage.k8s.io/v1'],
  ['Ingress', 'networking.k8s.io/v1'],
  ['NetworkPolicy', 'networking.k8s.io/v1'],
  ['PodDisruptionBudget', 'policy/v1'],
  ['HorizontalPodAutoscaler', 'autoscaling/v2'],
  ['Role', 'rbac.authorization.k8s.io/v1'],
  ['RoleBinding', 'rbac.authorization.k8s.io/v1'],
  ['ClusterRole', 'rbac.authorization.k8s.io/v1'],
  ['ClusterRoleBinding', 'rbac.authorization.k8s.io/v1'],
  ['CustomResourceDefinition', 'apiextensions.k8s.io/v1'],
]);
